import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { registered } from "../../src/data/registry.js";
import { fitCalibrations, isForIsotonic } from "../../src/lab/scorer-isotonic.js";
import { readReference, type ReferenceText } from "../../src/lab/scorer-reference.js";
import { isHeldOutRtp } from "../../src/lab/splits.js";
import {
  type AttributeSource,
  type CalibrationFile,
  openScorer,
  withKeptCalibration,
} from "../../src/scorers/index.js";
import { embeddedCalibration } from "../../src/scorers/calibrations.js";
import { mirror, temporaryFolder, withMirror } from "../data/helpers.js";

const kept = JSON.parse(readFileSync(embeddedCalibration("profanity-check"), "utf8")) as CalibrationFile;

beforeEach(() => {
  vi.stubEnv("ALIGNSCOPE_CACHE", temporaryFolder());
  if (mirror !== undefined) vi.stubEnv("ALIGNSCOPE_MIRROR", mirror);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("the rows that calibrations learn from", () => {
  it("are half of all, none of them held out from the linear scorer's training, others with another seed", () => {
    const prompts = Array.from({ length: 4000 }, (_, i) => `prompt number ${i} of many`);
    const chosen = prompts.filter((prompt) => isForIsotonic(prompt));
    expect(chosen.length / prompts.length).toBeGreaterThan(0.46);
    expect(chosen.length / prompts.length).toBeLessThan(0.54);
    expect(chosen.filter((prompt) => isHeldOutRtp(prompt))).toEqual([]);
    expect(prompts.filter((prompt) => isForIsotonic(prompt, 7))).not.toEqual(chosen);
  });
});

describe("fitting calibrations", () => {
  it("brings a scorer that is wrong by a rising function to the reference, one curve per reading", async () => {
    const texts = Array.from({ length: 600 }, (_, i): ReferenceText => {
      const TOXICITY = ((i * 37) % 600) / 600;
      const text = `text ${i} with ${TOXICITY}`;
      return { text, part: "prompt", prompt: text, scores: { TOXICITY, THREAT: Math.sqrt(TOXICITY) } };
    });
    const scorer: AttributeSource = {
      name: "cubed",
      identity: "cubed:1",
      attributeNames: ["TOXICITY"],
      attributes: (some) =>
        Promise.resolve(some.map((text) => ({ TOXICITY: Number(text.split(" ")[3]) ** 3 }))),
    };
    const { calibrations } = await fitCalibrations(scorer, texts);
    expect(calibrations.map(({ reading }) => reading)).toEqual(["max", "toxicity"]);
    for (const { heldOut, fit } of calibrations) {
      expect(fit.texts + heldOut.texts).toBe(600);
      expect(heldOut.meanErrorBefore).toBeGreaterThan(0.2);
      expect(heldOut.meanErrorAfter).toBeLessThan(0.01);
    }
  });
});

describe("the calibration of profanity-check in the repository", () => {
  it("is for the file in the registry and takes away a fifth of the error at least on texts that it has not seen", () => {
    for (const { identity, heldOut } of kept.calibrations) {
      expect(identity).toBe(`profanity-check:${registered("profanity-check-linear").sha256}`);
      expect(heldOut.meanErrorAfter).toBeLessThan(0.8 * heldOut.meanErrorBefore);
    }
  });

  it.skipIf(mirror === undefined)(`is what the command makes of the public data${withMirror}`, async () => {
    const scorer = await openScorer("profanity-check");
    expect(await fitCalibrations(scorer, await readReference())).toEqual(kept);
  });

  it.skipIf(mirror === undefined)(`is taken for the scorer's reading${withMirror}`, async () => {
    const mild = ["What a silly idiot.", "The garden is nice.", ""];
    for (const reading of ["max", "toxicity"] as const) {
      const raw = await openScorer("profanity-check", { reading });
      const [scores, before] = [await withKeptCalibration(raw).score(mild), await raw.score(mild)];
      expect(scores).not.toEqual(before);
      expect(scores[0]).toBeGreaterThan(scores[1] as number);
      expect(scores[2]).toBe(0);
    }
  });

  it("is no calibration of another scorer: linear needs none for TOXICITY and has none for the maximum", async () => {
    const toxicity = await openScorer("linear", { reading: "toxicity" });
    expect(withKeptCalibration(toxicity)).toBe(toxicity);
    const maximum = await openScorer("linear", { reading: "max" });
    expect(() => withKeptCalibration(maximum)).toThrow(
      /^linear is calibrated to TOXICITY [^\n]+--reading toxicity/,
    );
    const other = { ...maximum, name: "other", identity: "other:1" };
    expect(() => withKeptCalibration(other)).toThrow(
      /^no calibration of other [^\n]+scorers calibrate other/,
    );
  });
});
