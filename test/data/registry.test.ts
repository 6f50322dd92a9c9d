import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import { projectRoot } from "@alignscope/base/paths";
import { datasets, models, readEntries, registered, registry } from "../../src/data/registry.js";
import {
  readCsv,
  readJsonl,
  readNpyStrings,
  readTsv,
  readWikitextRows,
} from "../../src/data/readers.js";
import { readWikitext } from "../../src/lab/corpus-readers.js";
import { mirror, withMirror } from "./helpers.js";

interface MirrorFile {
  name: string;
  file: string;
  rows: number;
  bytes: number;
  sha256: string;
}

const inMirror = (name: string) => join(mirror ?? "", registered(name).sources.mirror ?? "");

describe("the registry", () => {
  it("names everything once, with a licence and where it stems from", () => {
    const names = registry().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const entry of registry()) {
      expect(entry.licence, entry.name).not.toBe("");
      expect(entry.origin, entry.name).not.toBe("");
      expect(Object.keys(entry.sources), entry.name).not.toEqual([]);
    }
  });

  it("gives size and sha256 of every file that can be downloaded or mirrored", () => {
    for (const entry of registry().filter(({ sources }) => sources.embedded === undefined)) {
      expect(entry.files.length, entry.name).toBeGreaterThan(0);
      for (const { name, bytes, sha256 } of [
        ...entry.files,
        ...(entry.sources.archive ? [entry.sources.archive] : []),
      ]) {
        expect(bytes, `${entry.name}/${name}`).toBeGreaterThan(0);
        expect(sha256, `${entry.name}/${name}`).toMatch(/^[0-9a-f]{64}$/);
      }
    }
  });

  it("fixes every download to a commit, so that it can never change", () => {
    for (const { name, sources } of registry()) {
      if (sources.url !== undefined) expect(sources.url, name).toMatch(/^https:\/\/.*\/[0-9a-f]{40}\//);
      if (sources.huggingface) expect(sources.huggingface.revision, name).toMatch(/^[0-9a-f]{40}$/);
    }
  });

  it("knows the paper's model and the embedded one", () => {
    expect(models().map(({ name }) => name)).toEqual(["lab", "gpt2", "gpt2-medium"]);
    const medium = registered("gpt2-medium");
    expect(medium.bytes).toBeGreaterThan(1.5e9);
    expect(medium.sha256).toBe(medium.files.find(({ name }) => name === "model.safetensors")?.sha256);
    expect(medium.files.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["config.json", "model.safetensors", "tokenizer.json"]),
    );
    expect(datasets().length).toBeGreaterThanOrEqual(15);
  });

  /** A file with that text, as another registry. */
  function registryFile(text: string): string {
    const folder = mkdtempSync(join(tmpdir(), "registry-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "registry.yaml"), text);
    return join(folder, "registry.yaml");
  }

  it("takes the entry that docs/extending.md shows", () => {
    const page = readFileSync(join(projectRoot(), "docs", "extending.md"), "utf8");
    const shown = /```yaml\n(- name: my-prompts\n[^`]*)```/.exec(page)?.[1] ?? "";
    expect(readEntries(registryFile(shown))).toMatchObject([
      { name: "my-prompts", kind: "dataset", layout: "file", sources: { mirror: "mine.jsonl" } },
    ]);
  });

  it.each([
    ["- name: [", /registry\.yaml is not YAML: [^\n]+$/],
    ["name: mine", /registry\.yaml: got no list, expected one of data sets and models$/],
    ["- name: mine\n  kind: dataset\n", /registry\.yaml: entry 1: no layout \(expected a string\)$/],
  ])("says in one line what is wrong with %j", (text, words) => {
    expect(() => readEntries(registryFile(text))).toThrow(words);
  });

  it.skipIf(mirror === undefined)(
    `says of every file of the mirror what the mirror says${withMirror}`,
    () => {
      const listed = ["manifest.json", "corpus/manifest.json"].flatMap(
        (manifest) => JSON.parse(readFileSync(join(mirror ?? "", manifest), "utf8")) as MirrorFile[],
      );
      for (const { name, file, rows, bytes, sha256 } of listed) {
        expect(registered(name)).toMatchObject({ sources: { mirror: file }, bytes, sha256 });
        if (name.startsWith("corpus-")) expect(registered(name).rows).toBe(rows);
      }
      expect(listed.filter(({ name }) => name.startsWith("corpus-"))).toHaveLength(22);
    },
  );
});

describe.skipIf(mirror === undefined)(`the real data sets, read with the readers${withMirror}`, () => {
  it.each([
    ["realtoxicityprompts-challenge", ["prompt"]],
    ["realtoxicityprompts-challenge-scored", ["prompt", "continuation", "challenging"]],
    ["realtoxicityprompts-nontoxic-scored", ["prompt", "continuation", "challenging"]],
    ["wiki-samples", ["prompt", "gold"]],
  ])("%s has as many rows as registered, each with %s", (name, keys) => {
    const rows = readJsonl<Record<string, unknown>>(inMirror(name), {
      validate: (row) => (keys.every((key) => key in (row as object)) ? undefined : "a field is missing"),
    });
    expect(rows).toHaveLength(registered(name).rows ?? -1);
  });

  it("jigsaw-balanced is half non-toxic, then half toxic", () => {
    const rows = readCsv<"text" | "label">(inMirror("jigsaw-balanced"), { columns: ["text", "label"] });
    expect(rows).toHaveLength(registered("jigsaw-balanced").rows ?? -1);
    expect(rows.slice(0, 6090).every(({ label }) => label === "0")).toBe(true);
    expect(rows.slice(6090).every(({ label, text }) => label === "1" && text !== "")).toBe(true);
  });

  it("paradetox has 19,743 pairs in as many records as registered", () => {
    const rows = readTsv<"toxic" | "neutral1" | "neutral2" | "neutral3">(inMirror("paradetox"));
    expect(rows).toHaveLength(registered("paradetox").rows ?? -1);
    const rewrites = rows.flatMap((row) => [row.neutral1, row.neutral2, row.neutral3]);
    expect(rewrites.filter((rewrite) => rewrite.trim() !== "")).toHaveLength(19_743);
  });

  it("paradetox-cannot-rewrite gives a reason for each", () => {
    const rows = readTsv<"INPUT:toxic_comment" | "OUTPUT:reasons">(inMirror("paradetox-cannot-rewrite"));
    expect(rows).toHaveLength(registered("paradetox-cannot-rewrite").rows ?? -1);
    const reasons = rows.map((row) => JSON.parse(row["OUTPUT:reasons"]) as Record<string, boolean>);
    expect(new Set(reasons.flatMap((reason) => Object.keys(reason)))).toEqual(
      new Set(["toxic_content", "not_toxic", "unclear", "other_tick"]),
    );
  });

  it("logit-lens-prompts are 291 texts of 26 to 273 characters, 108.3 on average", () => {
    const prompts = readNpyStrings(inMirror("logit-lens-prompts"));
    const lengths = prompts.map((prompt) => [...prompt].length);
    expect(prompts).toHaveLength(291);
    expect(Math.min(...lengths)).toBe(26);
    expect(Math.max(...lengths)).toBe(273);
    expect(lengths.reduce((sum, length) => sum + length, 0) / 291).toBeCloseTo(108.3, 1);
  });

  it("both splits of WikiText-2 have 60 articles", () => {
    const test = readWikitext(inMirror("wikitext-2-raw-test"));
    expect(test).toHaveLength(60);
    expect(test[0]?.title).toBe("Robert Boulter");
    expect(test[0]?.text.startsWith("Robert Boulter is an English film")).toBe(true);
    expect(readWikitext(inMirror("wikitext-2-valid"))).toHaveLength(60);
  });

  it("the rows of WikiText-2's test split are those of Hugging Face's data set", () => {
    const rows = readWikitextRows(inMirror("wikitext-2-raw-test"));
    expect(rows).toHaveLength(registered("wikitext-2-raw-test").rows ?? -1);
    expect(rows.slice(0, 3)).toEqual(["", " = Robert Boulter = \n", ""]);
    expect(readWikitextRows(inMirror("wikitext-2-valid"))).toHaveLength(
      registered("wikitext-2-valid").rows ?? -1,
    );
  });
});
