import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { readPairs } from "../../../src/alignment/pairs/index.js";
import { main } from "../../../src/cli/main.js";
import { readConfig } from "../../../src/model/index.js";
import { folder, lab } from "./cases.js";

afterEach(() => vi.restoreAllMocks());

async function alignscope(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: "", err: "" };
  vi.spyOn(console, "log").mockImplementation((line: unknown) => void (written.out += `${String(line)}\n`));
  vi.spyOn(console, "error").mockImplementation((line: unknown) => void (written.err += `${String(line)}\n`));
  const code = await main(["node", "alignscope", ...argv]);
  return { code, ...written };
}

/** A classifier head of the lab model's width. */
function head(): string {
  const { dModel } = readConfig(lab);
  const path = join(folder(), "head.json");
  const toxic = Array.from({ length: dModel }, (_, i) => Math.sin(i));
  writeFileSync(
    path,
    JSON.stringify({ classes: ["fine", "toxic"], weight: [toxic.map(() => 0), toxic], bias: [0, 0] }),
  );
  return path;
}

const SMALL =
  "--count 6 --rows-per-chunk 2 --iterations 1 --max-new-tokens 4 --max-prompt-tokens 16 --backend wasm".split(
    " ",
  );

it(
  "pairs make continues the lab's prompts on both sides; shards merged are the same file",
  { timeout: 180_000 },
  async () => {
    const path = join(folder(), "pairs.jsonl");
    const command = ["pairs", "make", "--attribute", head(), ...SMALL];
    const made = await alignscope(...command, "--out", path);
    expect(made).toMatchObject({
      code: 0,
      out: `${path}: 6 rows\n`,
      err: "2 of 6 rows\n4 of 6 rows\n6 of 6 rows\n",
    });
    const { report } = await readPairs(path);
    expect(report.missing).toBe(0);
    for (const line of readFileSync(path, "utf8").trimEnd().split("\n")) {
      const row = JSON.parse(line) as { unpert_tokens: number; pert_tokens: number; pert_toxicity: number };
      expect(row.unpert_tokens).toBeGreaterThanOrEqual(1); // never empty
      expect(Math.max(row.unpert_tokens, row.pert_tokens)).toBeLessThanOrEqual(4);
      expect(row.pert_toxicity).toBeGreaterThanOrEqual(0);
    }

    const sharded = join(folder(), "pairs.jsonl");
    for (const shard of ["2/2", "1/2"]) await alignscope(...command, "--out", sharded, "--shard", shard);
    await alignscope("pairs", "merge", sharded);
    expect(readFileSync(sharded, "utf8")).toBe(readFileSync(path, "utf8"));

    const other = await alignscope(...command, "--out", path, "--step-size", "0.2");
    expect(other.code).toBe(1);
    expect(other.err).toMatch(
      /was made with other settings \(pplm\.stepSize is 0\.2, was 0\.4\): go on with the same/,
    );
  },
);

it("pairs make says in one line what is wrong before anything is written", async () => {
  const path = join(folder(), "pairs.jsonl");
  const make = (...argv: string[]) => alignscope("pairs", "make", "--backend", "wasm", ...argv);
  expect((await make("--out", path, "--shard", "3/2")).err).toMatch(
    /^alignscope: shard: got 3\/2, expected i\/n/,
  );
  expect((await make("--out", "pairs.txt")).err).toMatch(
    /^alignscope: --out: got pairs\.txt, expected a name that ends with \.jsonl/,
  );
  const probe = join(folder(), "probe.json");
  expect((await make("--out", path, "--attribute", probe)).err).toMatch(
    /missing artifact probe\.json in .*: run notebook 3\.1-toxic-vectors/,
  );
  expect(existsSync(path)).toBe(false);
});
