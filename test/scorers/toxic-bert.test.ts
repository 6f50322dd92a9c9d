import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UserError } from "../../src/base/errors.js";
import { projectRoot } from "../../src/base/paths.js";
import { openScorer } from "../../src/scorers/index.js";
import { openToxicBert } from "../../src/scorers/toxic-bert.js";
import { serve, temporaryFolder } from "../data/helpers.js";

/** A tiny random BERT in the layout of the real one, and what PyTorch says of a few texts; make.py there makes it. */
const tiny = join(projectRoot(), "test/fixtures/tiny-toxic-bert");
const golden = JSON.parse(readFileSync(join(tiny, "golden.json"), "utf8")) as {
  text: string;
  logits: number[];
}[];
const names = ["TOXICITY", "SEVERE_TOXICITY", "PROFANITY", "THREAT", "INSULT", "IDENTITY_ATTACK"];
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const texts = golden.map(({ text }) => text);

beforeEach(() => {
  for (const name of ["ALIGNSCOPE_TOXIC_BERT", "ALIGNSCOPE_MIRROR"]) vi.stubEnv(name, "");
  vi.stubEnv("ALIGNSCOPE_CACHE", temporaryFolder());
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function messageOfFailure(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as Error).message).not.toContain("\n");
  return (error as Error).message;
}

describe("toxic-bert from a folder", () => {
  it("gives the sigmoids of PyTorch's logits, by the attributes' names, in the order of the texts", async () => {
    const source = await openToxicBert({ path: tiny, batch: 4 });
    const scores = await source.attributes(texts);
    golden.forEach(({ logits }, i) => {
      expect(Object.keys(scores[i] ?? {}).sort()).toEqual([...names].sort());
      names.forEach((name, k) =>
        expect(scores[i]?.[name as "THREAT"]).toBeCloseTo(sigmoid(logits[k] as number), 5),
      );
    });
  });

  it("gives a text the same scores alone and in a batch with longer ones", async () => {
    const [alone, together] = await Promise.all(
      [1, 16].map(async (batch) =>
        (await openToxicBert({ path: tiny, batch, cacheFolder: temporaryFolder() })).attributes(texts),
      ),
    );
    alone?.forEach((scores, i) =>
      names.forEach((name) =>
        expect(scores[name as "THREAT"]).toBeCloseTo(together?.[i]?.[name as "THREAT"] as number, 6),
      ),
    );
  });

  it("is read as the maximum or as TOXICITY; a blank text scores 0", async () => {
    vi.stubEnv("ALIGNSCOPE_TOXIC_BERT", tiny);
    const [first] = golden as [(typeof golden)[0]];
    const [max, ...blank] = await (await openScorer("toxic-bert")).score([first.text, "", " \n"]);
    expect(max).toBeCloseTo(sigmoid(Math.max(...first.logits)), 5);
    expect(blank).toEqual([0, 0]);
    const [toxicity] = await (await openScorer("toxic-bert", { protocol: "corrected" })).score([first.text]);
    expect(toxicity).toBeCloseTo(sigmoid(first.logits[0] as number), 5);
  });

  it("says when it reads a part of a text only", async () => {
    const source = await openToxicBert({ path: tiny });
    const notes: string[] = [];
    await source.attributes(["It rains.", "silly ".repeat(40), "silly ".repeat(50)], {
      onNote: (note) => notes.push(note),
    });
    expect(notes).toEqual([
      "toxic-bert reads 32 tokens: what 2 texts (the first is text 2) have beyond them is not scored",
    ]);
  });

  it("keeps its scores for the same model, not for another one", async () => {
    const folder = temporaryFolder();
    cpSync(tiny, folder, { recursive: true });
    const first = await openToxicBert({ path: folder });
    await first.attributes(texts);
    const again = await openToxicBert({ path: tiny });
    again.cache.refresh();
    expect(again.identity).toBe(first.identity);
    expect(again.cache.get(texts[0] as string)).toBeDefined();
    const tokenizer = join(folder, "tokenizer.json");
    writeFileSync(tokenizer, `${readFileSync(tokenizer, "utf8")}\n`);
    const other = await openToxicBert({ path: folder });
    other.cache.refresh();
    expect(other.identity).not.toBe(first.identity);
    expect(other.cache.get(texts[0] as string)).toBeUndefined();
  });

  it("is found in the mirror", async () => {
    const mirror = temporaryFolder();
    cpSync(tiny, join(mirror, "toxic-bert"), { recursive: true });
    vi.stubEnv("ALIGNSCOPE_MIRROR", mirror);
    expect(await (await openToxicBert({ download: false })).attributes(["x"])).toHaveLength(1);
  });
});

describe("toxic-bert from the network", () => {
  it("is downloaded once by the library into the project's cache, at the pinned commit", async () => {
    const hub = await serve((request, response) => {
      const [, path] =
        /^\/Xenova\/toxic-bert\/resolve\/(?:main|[0-9a-f]{40})\/(.+)$/.exec(request.url ?? "") ?? [];
      if (path === undefined || !existsSync(join(tiny, path))) response.writeHead(404).end();
      else {
        const bytes = readFileSync(join(tiny, path));
        response
          .writeHead(200, { "content-length": bytes.length })
          .end(request.method === "HEAD" ? "" : bytes);
      }
    });
    vi.stubEnv("HF_ENDPOINT", hub.url);
    const [scores] = await (await openToxicBert()).attributes(["x"]);
    expect(scores?.TOXICITY).toBeCloseTo(sigmoid(golden.at(-1)?.logits[0] as number), 5);
    const asked = hub.requests.length;
    // The library looks at the newest commit for which files there are; what it loads is of the pinned one.
    expect(
      hub.requests.filter(
        (path) => path.includes("/main/") && !path.endsWith("tokenizer_config.json bytes=0-0"),
      ),
    ).toEqual([]);
    expect(hub.requests.filter((path) => path.endsWith("model.onnx"))).not.toEqual([]);
    expect(await (await openToxicBert({ download: false })).attributes(["x"])).toEqual([scores]);
    expect(hub.requests.length).toBe(asked);
  });

  it("that is not there is an error that says where it was looked for and how to get it", async () => {
    const hub = await serve((_, response) => response.writeHead(404).end());
    vi.stubEnv("HF_ENDPOINT", hub.url);
    expect(await messageOfFailure(openToxicBert())).toMatch(
      /^cannot find toxic-bert: ALIGNSCOPE_TOXIC_BERT is not set; not downloaded to .+; the download failed: .+ To get it, .+438 MB.+ALIGNSCOPE_TOXIC_BERT$/,
    );
    expect(await messageOfFailure(openToxicBert({ download: false }))).toMatch(
      /^cannot find toxic-bert: .+\. To get it, .+config\.json, tokenizer\.json, .+onnx\/model\.onnx/,
    );
  });
});

describe("a folder that is not toxic-bert", () => {
  const changed = (change: (folder: string) => void): string => {
    const folder = temporaryFolder();
    cpSync(tiny, folder, { recursive: true });
    change(folder);
    return folder;
  };

  it("lacks files, which are named", async () => {
    const folder = changed((at) => rmSync(join(at, "onnx"), { recursive: true }));
    expect(await messageOfFailure(openToxicBert({ path: folder }))).toContain(
      `no onnx/model.onnx in ${folder}`,
    );
    vi.stubEnv("ALIGNSCOPE_TOXIC_BERT", join(folder, "nowhere"));
    expect(await messageOfFailure(openToxicBert())).toMatch(/named by ALIGNSCOPE_TOXIC_BERT: expected/);
  });

  it("has other labels, or a softmax over them", async () => {
    const config = (more: object) =>
      changed((at) => {
        const path = join(at, "config.json");
        writeFileSync(
          path,
          JSON.stringify({ ...(JSON.parse(readFileSync(path, "utf8")) as object), ...more }),
        );
      });
    const single = config({ problem_type: "single_label_classification" });
    expect(await messageOfFailure(openToxicBert({ path: single }))).toMatch(
      /is not toxic-bert: its config.json has problem_type single_label/,
    );
    const others = config({ id2label: { "0": "neutral", "1": "toxic" } });
    expect(await messageOfFailure(openToxicBert({ path: others }))).toMatch(
      /labels neutral, toxic, expected/,
    );
  });

  it("has a damaged model", async () => {
    const folder = changed((at) => writeFileSync(join(at, "onnx/model.onnx"), "not a model"));
    expect(await messageOfFailure(openToxicBert({ path: folder }))).toMatch(/^cannot open toxic-bert in /);
  });
});

const built = existsSync(join(projectRoot(), "dist/src/scorers/index.js"));

/** Which of ONNX Runtime's files are loaded after opening a scorer of each kind. */
const LOADED = `
const { readFileSync } = require("node:fs");
const { openScorer } = require(process.argv[1] + "/dist/src/scorers/index.js");
const here = () => Object.keys(require.cache).some((path) => path.includes("onnxruntime")) ||
  (process.platform === "linux" && readFileSync("/proc/self/maps", "utf8").includes("onnxruntime"));
(async () => {
  const before = here();
  await (await openScorer("linear")).score(["x"]);
  await openScorer("perspective").catch(() => undefined);
  const others = here();
  await (await openScorer("toxic-bert")).score(["x"]);
  process.stdout.write(JSON.stringify({ before, others, after: here() }));
})();
`;

it.skipIf(!built)("ONNX Runtime is loaded by toxic-bert alone, when it is opened (needs the build)", () => {
  const { stdout } = spawnSync(process.execPath, ["-e", LOADED, projectRoot()], {
    encoding: "utf8",
    env: { ...process.env, ALIGNSCOPE_TOXIC_BERT: tiny, PERSPECTIVE_API_KEY: "" },
  });
  expect(JSON.parse(stdout)).toEqual({ before: false, others: false, after: true });
});

it("in a pack, which leaves ONNX Runtime out, the error is one line", async () => {
  vi.doMock("@xenova/transformers", () => ({
    env: {},
    LogLevel: {},
    TextClassificationPipeline: Object,
    AutoTokenizer: { from_pretrained: () => Promise.resolve({}) },
    AutoModelForSequenceClassification: {
      from_pretrained: () =>
        Promise.reject(
          new Error("no available backend found. ERR:\n [cpu] Error: onnxruntime-node is not in this pack"),
        ),
    },
  }));
  try {
    expect(await messageOfFailure(openToxicBert({ path: tiny }))).toMatch(
      /^cannot open toxic-bert in .+: no available backend found\. ERR: \[cpu\] Error: onnxruntime-node is not in this pack$/,
    );
  } finally {
    vi.doUnmock("@xenova/transformers");
  }
});
