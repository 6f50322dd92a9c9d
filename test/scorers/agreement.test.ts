import { describe, expect, it } from "vitest";
import { UserError } from "../../src/base/errors.js";
import {
  ATTRIBUTES,
  readAs,
  readingNamed,
  readingOf,
  type Scorer,
  scorerAgreement,
} from "../../src/scorers/index.js";
import { readReference } from "../../src/lab/scorer-reference.js";
import { mirror, withMirror } from "../data/helpers.js";

const fixed = (name: string, scores: readonly number[]): Scorer => ({
  name,
  score: (texts) => Promise.resolve(texts.map((_, i) => scores[i] as number)),
});
const texts = ["a", "b", "c", "d"];
const reference = [0.1, 0.4, 0.5, 0.9];

describe("the agreement of scorers with a reference", () => {
  it("is 1 in every correlation for the reference itself, with no error", async () => {
    const [row] = await scorerAgreement([fixed("same", reference)], texts, reference);
    expect(row).toEqual({
      scorer: "same",
      n: 4,
      pearson: expect.closeTo(1, 12) as number,
      spearman: expect.closeTo(1, 12) as number,
      auroc: 1,
      meanError: 0,
      meanErrorCalibrated: undefined,
      mean: 0.475,
    });
  });

  it("counts a reference of 0.5 as toxic, and measures the error through a calibration as well", async () => {
    const scores = [0.2, 0.6, 0.4, 0.8];
    const calibrations = { other: { scores: [0, 1], targets: [0.5, 0.5] } };
    const [row] = await scorerAgreement([fixed("other", scores)], texts, reference, { calibrations });
    expect(row?.auroc).toBe(0.75);
    expect(row?.meanError).toBeCloseTo((0.1 + 0.2 + 0.1 + 0.1) / 4, 12);
    expect(row?.meanErrorCalibrated).toBeCloseTo((0.4 + 0.1 + 0 + 0.4) / 4, 12);
    expect(row?.spearman).toBeCloseTo(0.8, 12);
  });

  it("takes the first scorer for the reference where there is no other", async () => {
    const rows = await scorerAgreement(
      [fixed("first", reference), fixed("second", [0.9, 0.5, 0.4, 0.1])],
      texts,
    );
    expect(rows.map(({ scorer }) => scorer)).toEqual(["first", "second"]);
    expect(rows[0]?.meanError).toBe(0);
    expect(rows[1]?.spearman).toBeCloseTo(-1, 12);
  });

  it("refuses a reference of another length, and a single text", async () => {
    await expect(scorerAgreement([], texts, [0.5])).rejects.toThrow(UserError);
    await expect(scorerAgreement([], ["a"])).rejects.toThrow(/got 1 texts and no reference scores/);
  });
});

describe("readings", () => {
  it("of several attributes are the maximum, as published, or TOXICITY; of one both are the same", () => {
    const several = { TOXICITY: 0.2, PROFANITY: 0.6 };
    expect([readAs(several, readingOf("as-published")), readAs(several, readingOf("corrected"))]).toEqual([
      0.6, 0.2,
    ]);
    for (const reading of ["max", "toxicity"] as const) expect(readAs({ TOXICITY: 0.3 }, reading)).toBe(0.3);
    expect(() => readingNamed("mean")).toThrow(/^unknown reading: mean \(expected one of max, toxicity\)$/);
  });
});

describe.skipIf(mirror === undefined)(`Perspective's scores of 2020${withMirror}`, () => {
  it("are there for prompts and continuations, with seven attributes from 0 to 1 each", async () => {
    const before = process.env["ALIGNSCOPE_MIRROR"];
    process.env["ALIGNSCOPE_MIRROR"] = mirror;
    try {
      const all = await readReference();
      expect(all.length).toBeGreaterThan(4700);
      expect(new Set(all.map(({ part }) => part))).toEqual(new Set(["prompt", "continuation"]));
      const whole = all.filter(({ scores }) => ATTRIBUTES.every((name) => scores[name] !== undefined));
      expect(whole.length / all.length).toBeGreaterThan(0.95);
      for (const { scores } of all)
        for (const value of Object.values(scores)) expect(value >= 0 && value <= 1).toBe(true);
    } finally {
      if (before === undefined) delete process.env["ALIGNSCOPE_MIRROR"];
      else process.env["ALIGNSCOPE_MIRROR"] = before;
    }
  });
});
