import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { CachedSource, type SlowScorer } from "../../src/scorers/cached-source.js";
import { ScoreCache } from "../../src/scorers/score-cache.js";
import { temporaryFolder } from "../data/helpers.js";

const open = (folder: string, identity = "slow:1"): ScoreCache =>
  new ScoreCache("slow", identity, ["TOXICITY", "THREAT"], { folder });
const built = existsSync(join(projectRoot(), "dist/src/scorers/score-cache.js"));

/** Keeps 400 texts' scores, then says so and waits. */
const WRITER = `
const [root, folder, from] = process.argv.slice(1);
const { ScoreCache } = require(root + "/dist/src/scorers/score-cache.js");
const cache = new ScoreCache("slow", "slow:1", ["TOXICITY", "THREAT"], { folder });
for (let i = 0; i < 400; i += 1) cache.put("text " + (Number(from) + i), { TOXICITY: i / 400, THREAT: 0 });
process.stdout.write("done");
setInterval(() => undefined, 1000);
`;

describe("the cache of scores", () => {
  it("gives back what was put, also to the next process, by scorer, attributes and text", () => {
    const folder = temporaryFolder();
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (text, score) => {
          open(folder).put(text, { TOXICITY: score, THREAT: 0.25 });
          const next = open(folder);
          next.refresh();
          expect(next.get(text)).toEqual({ TOXICITY: score === 0 ? 0 : score, THREAT: 0.25 });
          expect(open(folder, "slow:2").get(text)).toBeUndefined();
        },
      ),
      { numRuns: 40 },
    );
    const other = new ScoreCache("slow", "slow:1", ["TOXICITY"], { folder });
    other.refresh();
    open(folder).put("a", { TOXICITY: 1, THREAT: 0 });
    expect(other.get("a")).toBeUndefined();
  });

  it("holds no text", () => {
    const folder = temporaryFolder();
    const cache = open(folder);
    cache.put("a very recognisable sentence", { TOXICITY: 0.1, THREAT: 0 });
    expect(readFileSync(cache.path, "utf8")).not.toContain("recognisable");
  });

  it("sees what another one has appended since", () => {
    const folder = temporaryFolder();
    const [one, two] = [open(folder), open(folder)];
    expect(two.size).toBe(0);
    one.put("a", { TOXICITY: 0.5, THREAT: 0 });
    expect(two.get("a")).toBeUndefined();
    two.refresh();
    expect(two.get("a")).toEqual({ TOXICITY: 0.5, THREAT: 0 });
  });

  it("passes over damaged lines, copies them aside, and keeps every other line", () => {
    const folder = temporaryFolder();
    const cache = open(folder);
    for (const text of ["a", "b", "c"]) cache.put(text, { TOXICITY: 0.5, THREAT: 0.125 });
    const lines = readFileSync(cache.path, "utf8").split("\n");
    const at = lines.findIndex((line) => line.includes("0.125")) + 2; // of b
    const changed = (lines[at] as string).replace("0.125", "0.625");
    lines[at] = changed;
    writeFileSync(cache.path, `${lines.join("\n")}\nnot JSON\nnull\n{"key": 3}\n`);
    const again = open(folder);
    expect(again.size).toBe(2);
    expect(again.get("a")).toBeDefined();
    expect(again.get("b")).toBeUndefined();
    expect(again.get("c")).toBeDefined();
    const aside = `${changed}\nnot JSON\nnull\n{"key": 3}\n`;
    expect(readFileSync(`${cache.path}.damaged`, "utf8")).toBe(aside);
    expect(open(folder).size).toBe(2);
    expect(readFileSync(`${cache.path}.damaged`, "utf8")).toBe(aside);
    again.put("b", { TOXICITY: 0.5, THREAT: 0.125 });
    expect(open(folder).size).toBe(3);
  });

  it("loses only the line that a killed process was writing, wherever it was cut", () => {
    const whole = open(temporaryFolder());
    for (const text of ["a", "b"]) whole.put(text, { TOXICITY: 0.5, THREAT: 0 });
    const bytes = readFileSync(whole.path);
    for (let end = bytes.length >> 1; end < bytes.length; end += 1) {
      const folder = temporaryFolder();
      const cut = open(folder);
      writeFileSync(cut.path, bytes.subarray(0, end));
      cut.put("c", { TOXICITY: 1, THREAT: 0 });
      const next = open(folder);
      next.refresh();
      expect(next.get("a"), `cut at ${end}`).toBeDefined();
      expect(next.get("c"), `cut at ${end}`).toEqual({ TOXICITY: 1, THREAT: 0 });
    }
  });

  it.skipIf(!built)(
    "loses nothing when two processes write at once and are killed (needs the build)",
    async () => {
      const folder = temporaryFolder();
      const writers = [0, 1000].map((from) =>
        spawn(process.execPath, ["-e", WRITER, projectRoot(), folder, String(from)], {
          stdio: ["ignore", "pipe", "inherit"],
        }),
      );
      await Promise.all(writers.map((writer) => once(writer.stdout, "data")));
      for (const writer of writers) writer.kill("SIGKILL");
      const cache = open(folder);
      expect(cache.size).toBe(800);
      expect(cache.get("text 1399")).toEqual({ TOXICITY: 399 / 400, THREAT: 0 });
      expect(existsSync(`${cache.path}.damaged`)).toBe(false);
    },
  );

  it("says in one line that it cannot be written", () => {
    const folder = temporaryFolder();
    appendFileSync(join(folder, "file"), "");
    const cache = new ScoreCache("slow", "slow:1", ["TOXICITY"], { folder: join(folder, "file", "x") });
    expect(() => cache.put("a", { TOXICITY: 0 })).toThrow(/^cannot keep scores in [^\n]+ALIGNSCOPE_CACHE$/);
  });
});

describe("a slow scorer behind the cache", () => {
  const slow = (asked: string[], failAt = Infinity): SlowScorer => ({
    name: "slow",
    identity: "slow:1",
    attributeNames: ["TOXICITY"],
    scoreEach: async (texts, keep) => {
      for (const { text } of texts) {
        if (asked.length >= failAt) throw new Error("stopped");
        asked.push(text);
        await Promise.resolve();
        keep(text, { TOXICITY: text.length / 100 });
      }
    },
  });

  it("is asked once for equal texts, never for blank ones, and not again for what is known", async () => {
    const folder = temporaryFolder();
    const asked: string[] = [];
    const texts = ["abc", "", "de", "abc", "  \n"];
    const expected = [0.03, 0, 0.02, 0.03, 0].map((TOXICITY) => ({ TOXICITY }));
    expect(await new CachedSource(slow(asked), { folder }).attributes(texts)).toEqual(expected);
    expect(asked).toEqual(["abc", "de"]);
    expect(await new CachedSource(slow(asked, 0), { folder }).attributes(texts)).toEqual(expected);
    expect(await new CachedSource(slow(asked, 0), { folder }).attributes([])).toEqual([]);
  });

  it("goes on where it was stopped", async () => {
    const folder = temporaryFolder();
    const texts = ["a", "ab", "abc", "abcd"];
    const first: string[] = [];
    await expect(new CachedSource(slow(first, 2), { folder }).attributes(texts)).rejects.toThrow("stopped");
    const second: string[] = [];
    await new CachedSource(slow(second), { folder }).attributes(texts);
    expect([first, second]).toEqual([
      ["a", "ab"],
      ["abc", "abcd"],
    ]);
  });

  it("tells how far it is: every text once, those of the cache at the start, the time left at the end", async () => {
    const folder = temporaryFolder();
    await new CachedSource(slow([]), { folder }).attributes(["a"]);
    const seen: (number | undefined)[][] = [];
    await new CachedSource(slow([]), { folder }).attributes(["a", "b", "b", "c"], {
      onProgress: ({ done, total, fromCache, secondsLeft }) =>
        seen.push([done, total, fromCache, secondsLeft]),
    });
    expect(seen.map(([done]) => done)).toEqual([1, 3, 4]);
    expect(seen.every(([, total, fromCache]) => total === 4 && fromCache === 1)).toBe(true);
    expect(seen[0]?.[3]).toBeUndefined();
    expect(seen[1]?.[3]).toBeGreaterThan(0);
    expect(seen[2]?.[3]).toBe(0);
  });
});
