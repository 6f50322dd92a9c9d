import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { readClaims, reproduce, type ReproduceOptions } from "../../src/pipeline/index.js";
import { judge, type JudgedClaim, type Measured, type RunClaim } from "../../src/present/claims/index.js";
import { pretendToRun, Series, temporaryFolder } from "./helpers.js";

vi.mock(import("../../src/pipeline/provenance.js"), async (original) => ({
  ...(await original()),
  environment: () => Promise.resolve({ library: "l", packages: "p", kernel: "k" }),
}));

type Said = Record<string, Record<string, Measured | string>>;

/** Runs the series; notebooks say of claims what `said` tells by their name, as study.claims writes it. */
async function run(
  series: Series,
  said: Said,
  { failing, ...options }: ReproduceOptions & { failing?: string[] } = {},
): Promise<void> {
  const { execute } = pretendToRun(failing);
  await reproduce(await series.open(), {
    ...options,
    execute: async (input, output, given) => {
      const name = basename(input as string, ".ipynb");
      const part = name.split("-")[0] ?? "";
      const outputs = (given?.parameters as { outputs?: string }).outputs;
      if (said[name] && outputs !== undefined) {
        const claims: JudgedClaim[] = Object.entries(said[name]).map(([id, measured]) =>
          judge(id, measured, { part }),
        );
        const file = join(outputs, "claims", `${part}.json`);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, JSON.stringify({ part, claims }));
      }
      return execute(input, output, given);
    },
  });
}

const found = (series: Series, id: string): RunClaim =>
  readClaims(series.outputs).claims.find((claim) => claim.id === id) as RunClaim;

const said: Said = {
  "1-first": { C10: { tensorMin: 1, rowMin: 1 } },
  "2-middle": { C7: "too few pairs", C17: { negative: 0.2 } },
};

describe("a run's verdicts on the paper's claims", () => {
  it("are put together from its notebooks, with the notebook that speaks", async () => {
    const series = new Series();
    await run(series, said);
    expect(readClaims(series.outputs)).toMatchObject({ profile: "small" });
    expect(found(series, "C10")).toMatchObject({
      verdict: "holds",
      places: [{ notebook: "1-first", cell: "claims" }],
    });
    expect(found(series, "C7")).toMatchObject({ verdict: "not measurable", reason: "too few pairs" });
    expect(found(series, "C17").verdict).toBe("does not hold");
    expect(found(series, "C1").verdict).toBe("not run");
  });

  it("keep what an earlier run found when a notebook fails halfway, and say so", async () => {
    const series = new Series();
    await run(series, said);
    await run(
      series,
      { ...said, "2-middle": { C7: "changed", C17: { negative: 0.9 } } },
      {
        failing: ["2-middle"],
        force: true,
      },
    );
    expect(found(series, "C17")).toMatchObject({
      verdict: "does not hold",
      places: [{ notebook: "2-middle", earlier: "the last run failed" }],
    });
    expect(found(series, "C10").places[0]).not.toHaveProperty("earlier");
  });

  it("do not count what a notebook of a first run wrote before it failed", async () => {
    const series = new Series();
    await run(series, said, { failing: ["2-middle"] });
    expect(found(series, "C10").verdict).toBe("holds");
    expect(found(series, "C7").verdict).toBe("not run");
    expect(existsSync(join(series.outputs, "claims", "2.json"))).toBe(false);
  });

  it("leave out the file of a notebook that has gone from the series, and one that nobody wrote", async () => {
    const series = new Series();
    await run(series, { ...said, "3-last": { C16: { negative: 1, trend: -1 } } });
    series.edit("pipeline.yaml", (text) => text.replace(/ {2}3-last:\n.*\n.*\n/, ""));
    writeFileSync(
      join(series.outputs, "claims", "9.json"),
      JSON.stringify({ part: "9", claims: [judge("C12", { keys: 1, values: 1 })] }),
    );
    await run(series, said);
    expect(existsSync(join(series.outputs, "claims", "3.json"))).toBe(true);
    expect(found(series, "C16").verdict).toBe("not run");
    expect(found(series, "C12").verdict).toBe("not run");
    expect(found(series, "C10").verdict).toBe("holds");
  });

  it("drop a claim that its notebook no longer speaks of, and are written again when all is up to date", async () => {
    const series = new Series();
    await run(series, said);
    await run(series, { "1-first": said["1-first"] ?? {} }, { only: ["2"], force: true });
    expect(found(series, "C7").verdict).toBe("not run");
    rmSync(join(series.outputs, "claims.json"));
    await run(series, {});
    expect(found(series, "C10").verdict).toBe("holds");
  });

  it("take a file that cannot be read for one that is not there", async () => {
    const series = new Series();
    await run(series, said);
    writeFileSync(join(series.outputs, "claims", "1.json"), '{"part": "1", "claims": [nul');
    await run(series, {}, { only: ["2"] });
    expect(found(series, "C10").verdict).toBe("not run");
  });

  it("are not there for a series that speaks of no claim, and are refused in one line", async () => {
    const series = new Series();
    await run(series, {});
    expect(() => readClaims(series.outputs)).toThrow(/^no claims in .* run `alignscope reproduce` first$/);
    const nowhere = join(temporaryFolder(), "nowhere");
    expect(() => readClaims(nowhere)).toThrow(`no such folder: ${nowhere}`);
    for (const [text, message] of [
      ["{", /^unreadable .*claims\.json/],
      ["null", /does not hold a run's claims/],
    ] as const) {
      writeFileSync(join(series.outputs, "claims.json"), text);
      expect(() => readClaims(series.outputs)).toThrow(message);
    }
  });
});
