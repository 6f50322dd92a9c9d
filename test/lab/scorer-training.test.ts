import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UserError } from "../../src/base/errors.js";
import { fitCalibration } from "../../src/lab/scorer-calibration.js";
import type { ScorerExample } from "../../src/lab/scorer-data.js";
import { fitWeights } from "../../src/lab/scorer-fit.js";
import { trainScorer } from "../../src/lab/scorer-training.js";
import { mulberry32 } from "../../src/base/random.js";
import { isCalibration, scoreOfLogit } from "../../src/scorers/calibration.js";
import { featureCount, featuresOf } from "../../src/scorers/ngrams.js";

const features = { wordBits: 12, characterBits: 14 };
const settings = { l2: 0.3, smoothing: 1, wordFactor: 1.5, iterations: 60 };

/** Sentences of neutral words, half of them with a rude one. */
function examples(count: number, seed: number): ScorerExample[] {
  const random = mulberry32(seed);
  const pick = (words: string[]): string => words[Math.floor(random() * words.length)] as string;
  const plain = ["garden", "river", "house", "table", "winter", "letter", "music", "bread"];
  return Array.from({ length: count }, (_, i) => {
    const rude = i % 2 === 0;
    const words = Array.from({ length: 6 }, () => pick(plain));
    if (rude) words[Math.floor(random() * 6)] = pick(["idiot", "moron", "crap"]);
    return {
      text: words.join(" "),
      source: "jigsaw",
      target: rude ? 0.95 : 0.05,
      weight: 1,
      perspective: false,
    };
  });
}

describe("fitWeights", () => {
  const weights = fitWeights(examples(400, 1), features, settings);
  const logit = (text: string): number => {
    const { indices, values } = featuresOf(text, features);
    return indices.reduce((sum, index, k) => sum + (weights[index] as number) * (values[k] as number), 0);
  };

  it("tells sentences that it has not seen apart by their rude word", () => {
    const unseen = examples(200, 2);
    const rude = unseen.filter(({ target }) => target > 0.5).map(({ text }) => logit(text));
    const kind = unseen.filter(({ target }) => target < 0.5).map(({ text }) => logit(text));
    expect(Math.min(...rude)).toBeGreaterThan(Math.max(...kind));
    expect(logit("the idiots")).toBeGreaterThan(logit("the gardens"));
  });

  it("has a weight for every feature and the same ones every time", () => {
    expect(weights.length).toBe(featureCount(features));
    expect(fitWeights(examples(400, 1), features, settings)).toEqual(weights);
  });

  it("goes by the targets: soft ones give milder weights", () => {
    const soft = examples(400, 1).map((one) => ({ ...one, target: one.target > 0.5 ? 0.6 : 0.4 }));
    const mild = fitWeights(soft, features, settings);
    const largest = (all: Float64Array): number => all.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
    expect(largest(mild)).toBeLessThan(largest(weights) / 2);
  });
});

describe("fitCalibration", () => {
  const random = mulberry32(5);
  const logits = Array.from({ length: 3000 }, () => 8 * random() - 4);
  // Scores that follow the log-odds at half their slope, with noise.
  const truth = (logit: number): number => 1 / (1 + Math.exp(-logit / 2));
  const scores = logits.map((x) => Math.min(1, Math.max(0, truth(x) + 0.2 * (random() - 0.5))));
  const curve = fitCalibration(logits, scores);

  it("finds the curve that the scores follow", () => {
    expect(isCalibration(curve)).toBe(true);
    for (const x of [-3, -1, 0, 0.5, 2, 3]) expect(scoreOfLogit(x, curve)).toBeCloseTo(truth(x), 1);
  });

  it("rises everywhere, also beyond what was seen and where the scores fall", () => {
    const falling = fitCalibration(
      logits,
      logits.map((x) => 0.5 - 0.1 * Math.sin(2 * x)),
    );
    expect(isCalibration(falling)).toBe(true);
    for (const one of [curve, falling]) {
      for (let x = -10; x < 10; x += 0.25) {
        expect(scoreOfLogit(x + 0.25, one)).toBeGreaterThan(scoreOfLogit(x, one));
      }
    }
  });

  it("copes with scores that are all the same or at the ends", () => {
    const same = fitCalibration(
      logits,
      logits.map(() => 1),
    );
    expect(isCalibration(same)).toBe(true);
    expect(() => fitCalibration([1], [0.5])).toThrow(/at least 12/);
  });
});

describe("trainScorer", () => {
  it("names what is missing when the data sets are not there, and writes nothing", async () => {
    const empty = mkdtempSync(join(tmpdir(), "mirror-"));
    try {
      const failure = await trainScorer(join(empty, "out"), { mirror: empty }).catch(
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(UserError);
      expect((failure as UserError).message).toContain("jigsaw-balanced");
      expect((failure as UserError).message).not.toContain("\n");
      expect(existsSync(join(empty, "out"))).toBe(false);
    } finally {
      rmSync(empty, { recursive: true });
    }
  });
});
