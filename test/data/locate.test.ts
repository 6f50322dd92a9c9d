import { zipSync } from "fflate";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sha256Of } from "../../src/base/checksum.js";
import {
  cachePlace,
  downloadUrl,
  locate,
  locateEntry,
  whereabouts,
  type Progress,
} from "../../src/data/locate.js";
import { registered, registry } from "../../src/data/registry.js";
import { entryOf, mirror, sendRanges, serve, temporaryFolder, withMirror, write } from "./helpers.js";

const text = "a line of data\n";
const files = { "config.json": "{}", "model.safetensors": "weights" };

let mirrorOfTest: string;

beforeEach(() => {
  mirrorOfTest = temporaryFolder();
  vi.stubEnv("ALIGNSCOPE_MIRROR", mirrorOfTest);
  vi.stubEnv("ALIGNSCOPE_CACHE", temporaryFolder());
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:1");
});

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("where an entry is looked for", () => {
  const entry = entryOf("texts", { "texts.txt": text }, { mirror: "texts.txt" });

  it("the explicit path comes first, then the mirror, then the cache", async () => {
    const own = write(temporaryFolder(), "my.txt", text);
    const inMirror = write(mirrorOfTest, "texts.txt", text);
    write(join(cachePlace(entry), ".."), "texts.txt", text);
    expect(await locateEntry(entry, { path: own })).toEqual({ where: "path", path: own });
    expect(await locateEntry(entry)).toEqual({ where: "mirror", path: inMirror });
    expect(whereabouts(entry)).toBe("mirror");
    vi.stubEnv("ALIGNSCOPE_MIRROR", "");
    expect(await locateEntry(entry)).toEqual({ where: "cache", path: cachePlace(entry) });
    expect(whereabouts(entry)).toBe("cache");
  });

  it("a model is a folder that holds all of its files", async () => {
    const model = entryOf("small", files, { mirror: "small" }, "folder");
    for (const [name, content] of Object.entries(files)) write(mirrorOfTest, `small/${name}`, content);
    expect(await locateEntry(model)).toEqual({ where: "mirror", path: join(mirrorOfTest, "small") });
  });

  it("a path in place of the name is the reader's own file, with nothing to compare it with", async () => {
    const own = write(temporaryFolder(), "mine.jsonl", "anything");
    expect(await locate(own)).toBe(own);
    await expect(locate("./no-such-folder/model")).rejects.toThrow(/^no file or folder .*no-such-folder/);
  });

  it.skipIf(mirror === undefined)(
    `every set of the mirror is found there and is intact${withMirror}`,
    async () => {
      vi.stubEnv("ALIGNSCOPE_MIRROR", mirror ?? "");
      const manifest = readFileSync(join(mirror ?? "", "manifest.json"), "utf8");
      const listed = new Set((JSON.parse(manifest) as { file: string }[]).map(({ file }) => file));
      const sets = registry().filter(({ sources }) => listed.has(sources.mirror ?? ""));
      expect(sets.length).toBeGreaterThanOrEqual(12);
      for (const set of sets) {
        expect(await locate(set.name)).toBe(join(mirror ?? "", set.sources.mirror ?? ""));
      }
    },
  );
});

describe("what is not as it should be is said in one line", () => {
  const entry = entryOf("texts", { "texts.txt": text }, { mirror: "texts.txt" });

  it("an unknown name, with the nearest ones", async () => {
    await expect(locate("wikitext-2-test")).rejects.toThrow(
      /^unknown data set or model: wikitext-2-test \(did you mean .*wikitext-2-raw-test.*\?\)$/,
    );
    await expect(locate("zzz")).rejects.toThrow(/expected one of lab-prompts, .*gpt2-medium/);
  });

  it("a corrupted file, with both checksums and what to do", async () => {
    const path = write(mirrorOfTest, "texts.txt", "a lime of data\n");
    await expect(locateEntry(entry)).rejects.toThrow(
      `corrupted file ${path}: sha256 is ${sha256Of("a lime of data\n")} (15 bytes), expected ${entry.sha256} (15 bytes); ` +
        "replace it in the mirror, or unset ALIGNSCOPE_MIRROR",
    );
  });

  it("a corrupted file given by its path or in the cache, each with its own remedy", async () => {
    const own = write(temporaryFolder(), "own.txt", "other");
    await expect(locateEntry(entry, { path: own })).rejects.toThrow(
      /^corrupted file .*own\.txt: .*pass the path/,
    );
    writeFileSync(write(join(cachePlace(entry), ".."), "texts.txt", text), "other");
    await expect(locateEntry(entry)).rejects.toThrow(/delete it and run `npx alignscope data fetch texts`$/);
  });

  it("a path that does not exist, or lacks a file of the model", async () => {
    await expect(locateEntry(entry, { path: "/no/such/file" })).rejects.toThrow(
      "no /no/such/file, which was given as the path of texts",
    );
    const model = entryOf("small", files, {}, "folder");
    const folder = temporaryFolder();
    write(folder, "config.json", "{}");
    await expect(locateEntry(model, { path: folder })).rejects.toThrow(
      `no model.safetensors in ${folder}, which was given as the path of small`,
    );
  });

  it("one that is nowhere: what was tried, and the remedy", async () => {
    await expect(locateEntry(entry)).rejects.toThrow(
      `cannot find texts: no path was given; no texts.txt in the mirror ${mirrorOfTest}; not in the cache ` +
        `${process.env["ALIGNSCOPE_CACHE"] ?? ""}; no public download of exactly these bytes is known. ` +
        "Set ALIGNSCOPE_MIRROR to a folder that holds texts.txt, or pass the path of texts",
    );
    vi.stubEnv("ALIGNSCOPE_MIRROR", "");
    await expect(locateEntry(entry)).rejects.toThrow("ALIGNSCOPE_MIRROR is not set");
    vi.stubEnv("ALIGNSCOPE_MIRROR", "/no/such/mirror");
    await expect(locateEntry(entry)).rejects.toThrow("there is no mirror folder /no/such/mirror");
    for (const message of [await locateEntry(entry).catch((error: unknown) => String(error))]) {
      expect(message).not.toContain("\n");
    }
  });

  it("a download that fails: all four places and the server's answer", async () => {
    const server = await serve((_, response) => {
      response.writeHead(404).end();
    });
    const remote = entryOf("texts", { "texts.txt": text }, { mirror: "texts.txt", url: `${server.url}/t` });
    await expect(locateEntry(remote)).rejects.toThrow(
      /^cannot find texts: no path was given; no texts\.txt in the mirror .*; not in the cache .*; cannot download http.*: HTTP 404 Not Found\. Set ALIGNSCOPE_MIRROR/,
    );
  });

  it("a model in the mirror that is not complete, by the file it lacks", async () => {
    const model = entryOf("small", files, { mirror: "small" }, "folder");
    write(mirrorOfTest, "small/config.json", "{}");
    await expect(locateEntry(model)).rejects.toThrow(
      `${join(mirrorOfTest, "small")} lacks model.safetensors`,
    );
  });
});

describe("downloads", () => {
  it("come last, go into the cache, and are not repeated", async () => {
    const server = await serve((request, response) => {
      sendRanges(Buffer.from(text), request, response);
    });
    const entry = entryOf("texts", { "texts.txt": text }, { mirror: "texts.txt", url: `${server.url}/t` });
    const progress: Progress[] = [];
    expect(whereabouts(entry)).toBe("download");
    const found = await locateEntry(entry, { onProgress: (step) => progress.push(step) });
    expect(found).toEqual({ where: "download", path: cachePlace(entry) });
    expect(readFileSync(found.path, "utf8")).toBe(text);
    expect(progress.at(-1)).toEqual({ name: "texts", file: "texts.txt", receivedBytes: 15, totalBytes: 15 });
    expect((await locateEntry(entry)).where).toBe("cache");
    expect(server.requests).toHaveLength(1);
  });

  it("do not happen when only looking", async () => {
    const server = await serve((request, response) => {
      sendRanges(Buffer.from(text), request, response);
    });
    const entry = entryOf("texts", { "texts.txt": text }, { url: `${server.url}/t` });
    await expect(locateEntry(entry, { download: false })).rejects.toThrow("npx alignscope data fetch texts");
    expect(server.requests).toEqual([]);
  });

  it("of a model ask the hub for its files at a fixed commit, and only for those that are missing", async () => {
    const server = await serve((request, response) => {
      const name = request.url?.split("/").at(-1) as keyof typeof files;
      sendRanges(Buffer.from(files[name]), request, response);
    });
    vi.stubEnv("HF_ENDPOINT", server.url);
    const huggingface = { kind: "model", repo: "someone/small", revision: "abc123" } as const;
    const model = entryOf("small", files, { huggingface }, "folder");
    write(cachePlace(model), "config.json", "{}");
    const found = await locateEntry(model);
    expect(found.where).toBe("download");
    expect(readFileSync(join(found.path, "model.safetensors"), "utf8")).toBe("weights");
    expect(server.requests).toEqual(["/someone/small/resolve/abc123/model.safetensors"]);
  });

  it("from a zip archive take the one file out, checked, and keep nothing else", async () => {
    const zip = zipSync({ "folder/inner.txt": Buffer.from(text), "folder/other.txt": Buffer.from("other") });
    const server = await serve((request, response) => {
      sendRanges(zip, request, response);
    });
    const archive = { name: "a.zip", bytes: zip.length, sha256: sha256Of(zip), member: "folder/inner.txt" };
    const entry = entryOf("texts", { "texts.txt": text }, { url: `${server.url}/a.zip`, archive });
    const { path } = await locateEntry(entry);
    expect(readFileSync(path, "utf8")).toBe(text);
    expect(existsSync(`${path}.zip`)).toBe(false);
    const other = entryOf(
      "other",
      { "texts.txt": text },
      { url: `${server.url}/a.zip`, archive: { ...archive, member: "folder/other.txt" } },
    );
    await expect(locateEntry(other)).rejects.toThrow(`corrupted folder/other.txt in ${server.url}/a.zip`);
    expect(existsSync(cachePlace(other))).toBe(false);
    const absent = entryOf(
      "absent",
      { "texts.txt": text },
      { url: `${server.url}/a.zip`, archive: { ...archive, member: "no.txt" } },
    );
    await expect(locateEntry(absent)).rejects.toThrow("no no.txt in the archive");
  });

  it("with a wrong checksum are refused, and nothing is left in the cache", async () => {
    const server = await serve((_, response) => {
      response.writeHead(200).end("another 15 byte");
    });
    const entry = entryOf("texts", { "texts.txt": text }, { url: `${server.url}/t` });
    await expect(locateEntry(entry)).rejects.toThrow(/^corrupted download .*: sha256 is .*, expected /);
    expect(existsSync(cachePlace(entry))).toBe(false);
  });

  it("of the registered models come from Hugging Face, by name and commit", () => {
    vi.stubEnv("HF_ENDPOINT", undefined);
    const gpt2 = registered("gpt2");
    const weights = gpt2.files.find(({ name }) => name === "model.safetensors");
    expect(weights && downloadUrl(gpt2, weights)).toBe(
      "https://huggingface.co/openai-community/gpt2/resolve/607a30d783dfa663caf39e06633721c8d4cfcd7e/model.safetensors",
    );
  });
});
