import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { mirrorFolder, projectRoot } from "../../src/base/paths.js";
import { loadHeldOutTexts, loadScorerData } from "../../src/lab/scorer-data.js";
import { measureScorer } from "../../src/lab/scorer-figures.js";
import type { TrainedScorerMeta } from "../../src/lab/scorer-card.js";
import { LAB_SEED, normaliseWords } from "../../src/lab/splits.js";
import { embeddedScorerFolder, LinearScorer, openScorer } from "../../src/scorers/index.js";

const mirror = mirrorFolder() ?? resolve(projectRoot(), "../shared/data");
const present = existsSync(join(mirror, "jigsaw-balanced.csv"));
const note = present ? "" : ` (skipped: no mirror of the public data sets; set ALIGNSCOPE_MIRROR)`;

const meta = JSON.parse(
  readFileSync(join(embeddedScorerFolder(), "scorer.json"), "utf8"),
) as TrainedScorerMeta;

describe("the embedded scorer's card", () => {
  it("shows the figures of scorer.json, and they are good enough", () => {
    const card = readFileSync(join(embeddedScorerFolder(), "README.md"), "utf8");
    expect(card).toContain(meta.figures.jigsawAuc.toFixed(4));
    expect(card).toContain(meta.figures.rtpPearson.toFixed(4));
    expect(meta.figures.jigsawAuc).toBeGreaterThanOrEqual(0.95);
    expect(meta.figures.rtpPearson).toBeGreaterThanOrEqual(0.83);
  });
});

describe.skipIf(!present)(`with the public data sets${note}`, () => {
  it("the figures on held-out Jigsaw and RealToxicityPrompts are those of the card", async () => {
    expect(meta.training.seed).toBe(LAB_SEED);
    const figures = await measureScorer(LinearScorer.load(), await loadHeldOutTexts(mirror));
    expect(figures).toEqual(meta.figures);
  });

  it("no training text has the words of a held-out one, or eight of them in a row", async () => {
    const { training, heldOut } = await loadScorerData(mirror);
    expect(training.length).toBe(meta.training.texts);
    const held = [...heldOut.jigsaw, ...heldOut.rtp].map(({ text }) => ` ${normaliseWords(text)} `);
    expect(new Set(held).size).toBeGreaterThan(2500);
    const wholes = new Set(held);
    const runs = new Set<string>();
    for (const text of held) {
      const words = text.trim().split(" ");
      for (let i = 0; i + 8 <= words.length; i += 1) runs.add(words.slice(i, i + 8).join(" "));
    }
    for (const { text } of training) {
      const words = normaliseWords(text).split(" ");
      expect(wholes.has(` ${words.join(" ")} `), text).toBe(false);
      for (let i = 0; i + 8 <= words.length; i += 1) {
        if (runs.has(words.slice(i, i + 8).join(" "))) expect.fail(`shared: ${text.slice(0, 80)}`);
      }
    }
  });

  it("a fifth of Jigsaw and of RealToxicityPrompts is held out", async () => {
    const { jigsaw, rtp } = await loadHeldOutTexts(mirror);
    expect(jigsaw.length / 12_180).toBeCloseTo(0.2, 1);
    expect(rtp.length / (2 * 2_396)).toBeCloseTo(0.2, 1);
    expect(new Set(rtp.map(({ part }) => part))).toEqual(new Set(["prompt", "continuation"]));
  });

  it("profanity-check, trained by others, agrees with Perspective on the same texts", async () => {
    const before = process.env["ALIGNSCOPE_MIRROR"];
    process.env["ALIGNSCOPE_MIRROR"] = mirror;
    try {
      const other = await openScorer("profanity-check");
      const figures = await measureScorer(other, await loadHeldOutTexts(mirror));
      expect(figures.jigsawAuc).toBeGreaterThan(0.93);
      expect(figures.rtpPearsonPrompts).toBeGreaterThan(0.78);
      expect(await other.score([" "])).toEqual([0]);
    } finally {
      if (before === undefined) delete process.env["ALIGNSCOPE_MIRROR"];
      else process.env["ALIGNSCOPE_MIRROR"] = before;
    }
  });
});
