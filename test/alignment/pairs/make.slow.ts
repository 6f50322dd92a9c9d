import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makePairs, type ContinuationContext } from "../../../src/alignment/pairs/index.js";
import { parseShard } from "../../../src/cli/pair-making.js";
import { readJsonl } from "../../../src/data/readers.js";
import { mergePairs } from "../../../src/cli/merge-pairs.js";
import { folder, makeInChild, prompts, pairOptions } from "./cases.js";

const read = (path: string): string => readFileSync(path, "utf8");

/** The file of a run that nothing interrupts. */
async function uninterrupted(): Promise<{ rows: string; meta: string }> {
  const path = join(folder(), "pairs.jsonl");
  await makePairs(await pairOptions(path));
  return { rows: read(path), meta: read(`${path}.meta.json`) };
}

describe("making pairs", () => {
  it("writes one row per prompt in the published format, with toxicity and lengths beside it", async () => {
    const path = join(folder(), "pairs.jsonl");
    expect(await makePairs(await pairOptions(path))).toEqual({ path, rows: 37, resumed: 0 });
    const rows = readJsonl<Record<string, unknown>>(path);
    expect(rows.map((row) => row["prompt_text"])).toEqual(prompts);
    expect(rows.map((row) => row["id"])).toEqual(prompts.map((_, i) => i));
    for (const row of rows) {
      expect(Object.keys(row).sort()).toEqual([
        "id",
        "pert_gen_text",
        "pert_tokens",
        "pert_toxicity",
        "prompt_text",
        "prompt_tokens",
        "unpert_gen_text",
        "unpert_tokens",
        "unpert_toxicity",
      ]);
    }
    expect(read(path).split("\n")).toHaveLength(38);
    expect(readdirSync(join(path, "..")).sort()).toEqual(["pairs.jsonl", "pairs.jsonl.meta.json"]);
  });

  it("gives both functions the row of each prompt and the seed, chunk by chunk", async () => {
    const given: ContinuationContext[] = [];
    const options = await pairOptions(join(folder(), "pairs.jsonl"));
    await makePairs({
      ...options,
      negative: (some, context) => {
        given.push(context);
        return options.negative(some, context);
      },
      shard: { index: 2, of: 3 },
    });
    expect(given.map(({ rows }) => rows)).toEqual([
      [4, 5, 6, 7],
      [16, 17, 18, 19],
      [28, 29, 30, 31],
    ]);
    expect(given.every(({ seed }) => seed === 42)).toBe(true);
  });

  it("draws the same texts however prompts are cut into chunks", async () => {
    const { rows } = await uninterrupted();
    for (const rowsPerChunk of [1, 7, 64]) {
      const path = join(folder(), "pairs.jsonl");
      await makePairs({ ...(await pairOptions(path)), rowsPerChunk });
      expect(read(path)).toBe(rows);
    }
  });

  it("stops at a signal between chunks, keeps what is written and goes on from there", async () => {
    const path = join(folder(), "pairs.jsonl");
    const stop = new AbortController();
    const options = await pairOptions(path);
    const onProgress = (done: number): void => {
      if (done === 12) stop.abort(new Error("enough"));
    };
    await expect(makePairs({ ...options, signal: stop.signal, onProgress })).rejects.toThrow("enough");
    expect(readJsonl(path)).toHaveLength(12);
    expect(await makePairs(options)).toEqual({ path, rows: 37, resumed: 12 });
    expect(read(path)).toBe((await uninterrupted()).rows);
  });

  it("has nothing to do the third time", async () => {
    const options = await pairOptions(join(folder(), "pairs.jsonl"));
    await makePairs(options);
    const never = (): Promise<never> => Promise.reject(new Error("called"));
    expect(await makePairs({ ...options, positive: never, negative: never })).toMatchObject({ resumed: 37 });
  });

  it("lets one process after the other write a file", async () => {
    const options = await pairOptions(join(folder(), "pairs.jsonl"));
    await Promise.all([makePairs(options), makePairs(options)]);
    expect(read(options.path)).toBe((await uninterrupted()).rows);
  });

  it.each([
    ["another seed", { seed: 43 }, /seed is 43, was 42/],
    [
      "other settings",
      { settings: { model: "none", negative: { iterations: 4 } } },
      /negative\.iterations is 4, was 3/,
    ],
    ["other prompts", { prompts: prompts.map((prompt) => prompt.toUpperCase()) }, /prompts\.sha256 is /],
    ["other chunks", { rowsPerChunk: 5 }, /rowsPerChunk is 5, was 4/],
    [
      "another scorer",
      { scorer: { name: "none", score: () => Promise.resolve([]) } },
      /scorer is "none", was "length"/,
    ],
  ])("refuses to go on with %s, in one line, and touches nothing", async (_, change, message) => {
    const options = await pairOptions(join(folder(), "pairs.jsonl"));
    await makePairs(options);
    const before = read(options.path);
    const error = await makePairs({ ...options, ...change }).then(
      () => undefined,
      (caught: unknown) => caught as Error,
    );
    expect(error?.message).toMatch(message);
    expect(error?.message).toMatch(/^.*was made with other settings.*name another file$/);
    expect(read(options.path)).toBe(before);
  });

  it("refuses a file that was not begun here, or was changed since, and touches nothing", async () => {
    const options = await pairOptions(join(folder(), "pairs.jsonl"));
    writeFileSync(options.path, "my own notes\n");
    await expect(makePairs(options)).rejects.toThrow(
      /is no file of pairs that was begun here .*name another file$/,
    );
    expect(read(options.path)).toBe("my own notes\n");

    const other = await pairOptions(join(folder(), "pairs.jsonl"));
    await makePairs(other);
    const changed = read(other.path).replace('"id":6', '"id":60');
    writeFileSync(other.path, changed);
    await expect(makePairs(other)).rejects.toThrow(
      /pairs\.jsonl:5: expected rows 4 to 7 of these pairs; it was changed/,
    );
    expect(read(other.path)).toBe(changed);
    writeFileSync(other.path, `${(await uninterrupted()).rows}{"more": 1}\n`);
    await expect(makePairs(other)).rejects.toThrow(/pairs\.jsonl:38: expected the end of the file/);
  });

  it("notices another writer that does not heed the lock", async () => {
    const options = await pairOptions(join(folder(), "pairs.jsonl"));
    const onProgress = (done: number): void => {
      if (done === 8) writeFileSync(options.path, "x", { flag: "a" });
    };
    await expect(makePairs({ ...options, onProgress })).rejects.toThrow(/changed by something else/);
  });

  it("refuses what it cannot make pairs from", async () => {
    const options = await pairOptions(join(folder(), "pairs.jsonl"));
    await expect(makePairs({ ...options, prompts: [] })).rejects.toThrow(/^no prompts/);
    await expect(makePairs({ ...options, prompts: ["a", ""] })).rejects.toThrow(/^prompt 1 is empty/);
    await expect(makePairs({ ...options, rowsPerChunk: 0 })).rejects.toThrow(/^rowsPerChunk: got 0/);
    const nan = { name: "nan", score: (texts: readonly string[]) => Promise.resolve(texts.map(() => NaN)) };
    const path = join(folder(), "pairs.jsonl");
    await expect(makePairs({ ...options, path, scorer: nan })).rejects.toThrow(
      /^scorer nan: got NaN, expected 4 numbers/,
    );
  });

  it("keeps texts of lone surrogates as they are", async () => {
    const options = await pairOptions(join(folder(), "pairs.jsonl"));
    const lone = ["half \ud83d of", "other \udc00 half"];
    await makePairs({ ...options, prompts: lone });
    expect(readJsonl<{ prompt_text: string }>(options.path).map((row) => row.prompt_text)).toEqual(lone);
    expect(await makePairs({ ...options, prompts: lone })).toMatchObject({ resumed: 2 });
  });
});

describe("a process that is killed", () => {
  it.each([4, 20, 36])(
    "after %i rows loses nothing: the finished file is that of a run without interruption",
    async (killAfter) => {
      const whole = await uninterrupted();
      const path = join(folder(), "pairs.jsonl");
      expect((await makeInChild(path, { killAfter })).signal).toBe("SIGKILL");
      expect(readJsonl(path).length).toBeGreaterThanOrEqual(killAfter);
      expect((await makeInChild(path)).code).toBe(0);
      expect(read(path)).toBe(whole.rows);
      expect(read(`${path}.meta.json`)).toBe(whole.meta);
    },
  );

  it.each([
    ["its first byte", 1, 1],
    ["the middle of a row", 3, 130],
    ["the line feed of a row", 5, "row"],
    ["its last byte", 9, 1_000_000],
  ] as const)(
    "within a write, at %s, loses that chunk only, sets the torn part aside and goes on",
    async (_, write, bytes) => {
      const whole = await uninterrupted();
      const lines = whole.rows.split("\n");
      const path = join(folder(), "pairs.jsonl");
      const before = (write - 1) * 4;
      const cut = bytes === "row" ? Buffer.byteLength(`${lines[before] ?? ""}\n`) : bytes;
      expect((await makeInChild(path, { tear: { write, bytes: cut } })).signal).toBe("SIGKILL");
      const torn = readFileSync(path);
      const resumed = await makePairs(await pairOptions(path));
      expect(resumed).toEqual({ path, rows: 37, resumed: before, tornPath: `${path}.torn` });
      expect(read(path)).toBe(whole.rows);
      const kept = Buffer.byteLength(
        lines
          .slice(0, before)
          .map((line) => `${line}\n`)
          .join(""),
      );
      expect(readFileSync(`${path}.torn`)).toEqual(torn.subarray(kept));
    },
  );

  it("again and again gets there in the end", { timeout: 120_000 }, async () => {
    const path = join(folder(), "pairs.jsonl");
    for (let kills = 0; kills < 4; kills++) await makeInChild(path, { tear: { write: 2, bytes: 200 } });
    expect(readFileSync(path, "utf8").split('{"id":').length).toBeGreaterThan(4);
    expect((await makeInChild(path)).code).toBe(0);
    expect(read(path)).toBe((await uninterrupted()).rows);
  });

  it("by a full disk says so in one line, keeps whole chunks, and goes on when there is room", async () => {
    const path = join(folder(), "pairs.jsonl");
    const { code, output } = await makeInChild(path, { blocks: 4 });
    expect(code).toBe(1);
    expect(output).toMatch(
      /\ncannot write .*pairs\.jsonl: EFBIG.*; the \d+ chunks before are kept: make room and run this again, and it goes on\n$/,
    );
    expect(readJsonl(path).length % 4).toBe(0);
    expect(readJsonl(path).length).toBeGreaterThan(0);
    expect(read(path).endsWith("\n")).toBe(true);
    expect((await makeInChild(path)).code).toBe(0);
    expect(read(path)).toBe((await uninterrupted()).rows);
  });
});

describe("shards", () => {
  it.each([1, 2, 3, 10, 12])("%i of them, merged, are byte for byte the file without shards", async (of) => {
    const whole = await uninterrupted();
    const path = join(folder(), "pairs.jsonl");
    const options = await pairOptions(path);
    // In any order.
    for (let index = of; index >= 1; index--) await makePairs({ ...options, shard: { index, of } });
    expect(existsSync(path)).toBe(false);
    expect(mergePairs(path)).toEqual({ path, rows: 37, shards: of });
    expect(read(path)).toBe(whole.rows);
    expect(read(`${path}.meta.json`)).toBe(whole.meta);
    expect(mergePairs(path)).toEqual({ path, rows: 37, shards: of });
    expect(await makePairs(options)).toMatchObject({ resumed: 37 });
  });

  it("may be killed as well", async () => {
    const path = join(folder(), "pairs.jsonl");
    await makeInChild(path, { shard: "1/2", killAfter: 8 });
    await makeInChild(path, { shard: "2/2", tear: { write: 2, bytes: 90 } });
    expect(() => mergePairs(path)).toThrow(
      /shard-2-of-2\.jsonl has \d+ of 17 rows: run its --shard again, and it goes on|shard-1-of-2\.jsonl has/,
    );
    await makeInChild(path, { shard: "1/2" });
    await makeInChild(path, { shard: "2/2" });
    mergePairs(path);
    expect(read(path)).toBe((await uninterrupted()).rows);
  });

  it("are not merged when one is missing, or made with other settings, or the whole is there with other rows", async () => {
    const path = join(folder(), "pairs.jsonl");
    const options = await pairOptions(path);
    expect(() => mergePairs(path)).toThrow(
      /^no shards of .*expected pairs\.shard-1-of-4\.jsonl and so on beside it$/,
    );
    await makePairs({ ...options, shard: { index: 1, of: 3 } });
    expect(() => mergePairs(path)).toThrow(/shards 2\/3, 3\/3 are missing/);
    await makePairs({ ...options, shard: { index: 2, of: 3 } });
    await makePairs({ ...options, shard: { index: 3, of: 3 }, seed: 1 });
    expect(() => mergePairs(path)).toThrow(
      /shard-3-of-3\.jsonl was made with other settings .*\(seed is 1, was 42\)/,
    );
    await makePairs({ ...options, shard: { index: 1, of: 2 } });
    expect(() => mergePairs(path)).toThrow(/several divisions lie beside .* \(2, 3\): say of how many/);
    await makePairs({ ...options, shard: { index: 2, of: 2 } });
    writeFileSync(path, "mine\n");
    expect(() => mergePairs(path, { of: 2 })).toThrow(/is there already and is not these shards merged/);
    expect(read(path)).toBe("mine\n");
  });

  it("are written i/n, from 1", () => {
    expect(parseShard("2/4")).toEqual({ index: 2, of: 4 });
    for (const wrong of ["0/4", "5/4", "1", "a/b", "1/4/2", "-1/4", "1.5/4", ""]) {
      expect(() => parseShard(wrong)).toThrow(
        /^shard: got .*, expected i\/n with i from 1 to n, for instance 1\/4$/,
      );
    }
  });
});
