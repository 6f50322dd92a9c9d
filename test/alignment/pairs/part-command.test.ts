import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { main } from "../../../src/cli/main.js";
import { readConfig } from "../../../src/model/index.js";
import { folder, lab } from "./cases.js";

afterEach(() => vi.restoreAllMocks());

/** Runs a command; what it says on standard error. */
async function alignscope(...argv: string[]): Promise<{ code: number; err: string }> {
  let err = "";
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  vi.spyOn(console, "error").mockImplementation((line: unknown) => void (err += `${String(line)}\n`));
  const code = await main(["node", "alignscope", ...argv]);
  return { code, err };
}

it(
  "pairs part makes the notebook's pairs with the parameters of the run: two parts merged are one part of one",
  { timeout: 180_000 },
  async () => {
    const outputs = folder();
    const { dModel } = readConfig(lab);
    const head = join(outputs, "head.json");
    const weight = [0, 1].map((toxic) => Array.from({ length: dModel }, (_, i) => toxic * Math.sin(i)));
    writeFileSync(head, JSON.stringify({ classes: ["fine", "toxic"], weight, bias: [0, 0] }));
    const values = { attribute: head, pairCount: 6, pairBatch: 2, pplmIterations: 1, pairNewTokens: 4 };
    const run = ["--outputs", outputs, "--backend", "wasm"].concat(
      Object.entries(values).flatMap(([name, value]) => ["-p", name, String(value)]),
    );
    const part = (word: string, out: string, ...more: string[]) =>
      alignscope("pairs", "part", word, ...run, ...more, "--out", out);

    const parted = join(outputs, "pairs", "pairs.jsonl");
    expect((await part("2/2", parted)).err).toBe("2 of 2 rows\n");
    expect((await part("1/2", parted)).err).toBe("2 of 4 rows\n4 of 4 rows\n");
    expect((await alignscope("pairs", "merge", parted)).code).toBe(0);
    const whole = join(outputs, "whole", "pairs.jsonl");
    await part("1/1", whole);
    expect(readFileSync(parted, "utf8")).toBe(
      readFileSync(whole.replace(/\.jsonl$/, ".shard-1-of-1.jsonl"), "utf8"),
    );
    const { settings } = JSON.parse(readFileSync(`${parted}.meta.json`, "utf8")) as {
      settings: { pplm: { iterations: number; stepSize: number }; pairNewTokens: number };
    };
    expect(settings).toMatchObject({ pplm: { iterations: 1, stepSize: 0.4 }, pairNewTokens: 4 });

    const other = join(outputs, "none.jsonl");
    expect((await part("1/2", other, "-p", "pairs", "paradetox")).err).toContain(
      "pairs: got paradetox, expected make",
    );
    expect(existsSync(other)).toBe(false);
  },
);
