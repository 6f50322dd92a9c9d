import { describe, expect, it } from "vitest";
import { calibrated } from "../../src/scorers/isotonic.js";
import { readingScorer } from "../../src/scorers/scorer.js";

describe("a calibrated scorer", () => {
  const scorer = readingScorer(
    {
      name: "by-length",
      identity: "by-length:1",
      attributeNames: ["TOXICITY"],
      attributes: (texts) => Promise.resolve(texts.map((text) => ({ TOXICITY: text.trim().length / 10 }))),
    },
    "toxicity",
  );
  const calibration = {
    scorer: "by-length",
    identity: "by-length:1",
    reading: "toxicity",
    scores: [0, 0.5, 1],
    targets: [0.2, 0.3, 0.9],
  } as const;

  it("gives the curve's scores, 0 to a blank text, and the attributes as they were", async () => {
    const one = calibrated(scorer, calibration);
    const scores = await one.score(["", "abcde", "abcdefghij", "  "]);
    [0, 0.3, 0.9, 0].forEach((x, i) => expect(scores[i]).toBeCloseTo(x, 12));
    expect(await one.attributes(["abcde"])).toEqual([{ TOXICITY: 0.5 }]);
    expect(one.name).toBe("by-length");
  });

  it.each([
    [{ scorer: "linear" }, /^the calibration is for the scorer linear, expected by-length/],
    [{ identity: "by-length:2" }, /^the calibration is for the version by-length:2, expected by-length:1/],
    [
      { reading: "max" as const },
      /^the calibration is for the reading max, expected toxicity: make one with/,
    ],
  ])("is not made with a calibration of another kind: %j", (change, message) => {
    expect(() => calibrated(scorer, { ...calibration, ...change })).toThrow(message);
  });
});
