import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { makePairs } from "../../../src/alignment/pairs/index.js";
import { main } from "../../../src/cli/main.js";
import { folder, pairOptions } from "./cases.js";

afterEach(() => vi.restoreAllMocks());

/** Runs a command line; what it printed, on both outputs. */
async function alignscope(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: "", err: "" };
  vi.spyOn(console, "log").mockImplementation((line: unknown) => void (written.out += `${String(line)}\n`));
  vi.spyOn(console, "error").mockImplementation((line: unknown) => void (written.err += `${String(line)}\n`));
  const code = await main(["node", "alignscope", ...argv]);
  return { code, ...written };
}

it("pairs merge puts shards together, and says in one line what is missing", async () => {
  const path = join(folder(), "pairs.jsonl");
  const options = await pairOptions(path);
  await makePairs({ ...options, shard: { index: 1, of: 2 } });
  const early = await alignscope("pairs", "merge", path);
  expect(early).toMatchObject({
    code: 1,
    out: "",
    err: `alignscope: ${path}: shards 2/2 are missing: make them with --shard\n`,
  });
  await makePairs({ ...options, shard: { index: 2, of: 2 } });
  expect((await alignscope("pairs", "merge", path)).out).toBe(`${path}: 37 rows of 2 shards\n`);
  expect(readFileSync(path, "utf8").split("\n")).toHaveLength(38);
});

it("pairs describe says how many pairs there are, how long and how toxic, also for machines", async () => {
  const path = join(folder(), "pairs.jsonl");
  await makePairs(await pairOptions(path));
  const { out, code } = await alignscope("pairs", "describe", path);
  expect(code).toBe(0);
  expect(out).toMatch(/^\d+ pairs of 37 rows in 1 file\n/);
  expect(out).toMatch(/\ntoxicity, rejected +0\.\d{3} +0\.\d{3} to 0\.\d{3}\n/);
  expect(out).toMatch(/\nthe rejected side is the more toxic one in [\d.]+% of the pairs\n$/);
  const json = JSON.parse(
    (await alignscope("pairs", "describe", path, "--json", "--scorer", "linear")).out,
  ) as {
    means: Record<string, { mean: number; low: number; high: number }>;
    missing: number;
  };
  expect(json.missing).toBe(0);
  expect(Object.keys(json.means)).toEqual([
    "tokens, prompt",
    "tokens, chosen",
    "tokens, rejected",
    "toxicity, chosen",
    "toxicity, rejected",
  ]);
  expect((await alignscope("pairs", "describe", "no-such-file.jsonl")).err).toMatch(
    /^alignscope: no file or folder .*no-such-file\.jsonl\n$/,
  );
});
