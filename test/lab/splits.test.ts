import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { mirrorFolder, projectRoot } from "../../src/base/paths.js";
import { mulberry32, shuffled } from "../../src/base/random.js";
import { readJsonl } from "../../src/data/readers.js";
import { readWikitext } from "../../src/lab/corpus-readers.js";
import {
  embeddedTexts,
  HELD_OUT_SHARE,
  hashFraction,
  type HoldOuts,
  isHeldOutJigsaw,
  isHeldOutWikiText,
  loadHoldOuts,
  locateDataset,
  normaliseWords,
  OverlapIndex,
  readJigsaw,
} from "../../src/lab/splits.js";

const mirror = mirrorFolder() ?? join(projectRoot(), "..", "shared", "data");

describe("seeded decisions", () => {
  it("depend on the words and the seed, not on case, punctuation or spacing", () => {
    expect(hashFraction("Don't  stop, here!", 1)).toBe(hashFraction("dont stop here", 1));
    expect(hashFraction("dont stop here", 1)).not.toBe(hashFraction("dont stop here", 2));
    expect(hashFraction("dont stop here", 1)).not.toBe(hashFraction("dont stop there", 1));
  });

  it("fall evenly, also for texts that differ in one digit", () => {
    const fractions = Array.from({ length: 20_000 }, (_, i) => hashFraction(`comment number ${i}`, 7));
    for (let tenth = 0; tenth < 10; tenth++) {
      const inside = fractions.filter((fraction) => Math.floor(10 * fraction) === tenth).length;
      expect(inside / fractions.length).toBeCloseTo(0.1, 1.5);
    }
  });

  it("keep the share of comments they are to keep", () => {
    const kept = Array.from({ length: 20_000 }, (_, i) => isHeldOutJigsaw(`comment number ${i}`)).filter(
      Boolean,
    );
    expect(Math.abs(kept.length / 20_000 - HELD_OUT_SHARE.jigsaw)).toBeLessThan(0.01);
  });

  it("shuffle the same way for the same seed, and lose nothing", () => {
    const items = Array.from({ length: 50 }, (_, i) => i);
    const once = shuffled(items, mulberry32(3));
    expect(shuffled(items, mulberry32(3))).toEqual(once);
    expect(shuffled(items, mulberry32(4))).not.toEqual(once);
    expect([...once].sort((a, b) => a - b)).toEqual(items);
  });
});

describe("texts that repeat a held-out one", () => {
  const holdOuts: HoldOuts = {
    prompts: ["You, sir, are a fool", "I told them again and again that the keys were under the other mat"],
    wikiText: [
      {
        title: "Lobster",
        text: "\n = = Range = = \n\n The lobster lives in the eastern Atlantic Ocean , the Mediterranean Sea and parts of the Black Sea . ",
      },
    ],
    wikiSamples: [],
    jigsaw: [{ text: "Go away please", toxic: false }],
    embedded: ["Six gulls sat on the roof of the ferry and waited for bread"],
  };
  const index = new OverlapIndex(holdOuts);

  it.each([
    ["a short prompt inside", "He said: you sir are a FOOL, and left.", true],
    ["eight words of a longer prompt", "he told her AGAIN that the keys were under the other rug", true],
    ["seven words of it", "and again that the keys were under a rug", false],
    ["seven words of an embedded text", "roof of the ferry and waited for us", false],
    ["eight words in a row of an embedded text", "A cat sat on the roof of the ferry, and waited.", true],
    ["a part of a short prompt", "You, sir, are a gentleman", false],
    [
      "thirteen words of an article, spaced otherwise",
      "in the eastern Atlantic Ocean, the Mediterranean Sea and parts of the Black Sea.",
      true,
    ],
    ["twelve words of it", "eastern Atlantic Ocean, the Mediterranean Sea and parts of the Black Sea", false],
    ["a comment and nothing else", "go away, PLEASE!", true],
    ["a short comment inside a longer text", "Oh go away please, will you", false],
  ])("%s", (_, text, overlaps) => {
    expect(index.overlaps(text)).toBe(overlaps);
  });
});

describe("the texts that the repository carries for the study", () => {
  const FILES = ["prompts", "continuations", "prefixes", "paragraphs", "comments"];
  const embedded = FILES.flatMap((name) =>
    readJsonl<{ prompt?: string; gold?: string; text?: string }>(
      join(projectRoot(), "data", "lab", `${name}.jsonl`),
    ).flatMap(({ prompt, gold, text }) => [prompt, gold, text].filter((part) => part !== undefined)),
  );

  it("are held out: any eight words in a row of them, a shorter text whole, also inside another text", async () => {
    const index = new OverlapIndex({ embedded: await embeddedTexts() });
    const missed = embedded.flatMap((text) => {
      const words = normaliseWords(text).split(" ");
      const length = Math.min(8, words.length);
      return Array.from({ length: words.length - length + 1 }, (_, i) => words.slice(i, i + length).join(" "))
        .map((run) => (length < 3 ? run : `quite another beginning ${run} and an ending`))
        .filter((inside) => !index.overlaps(inside));
    });
    expect(embedded.length).toBeGreaterThan(3000);
    expect(missed).toEqual([]);
  });
});

describe.skipIf(!existsSync(join(mirror, "jigsaw-balanced.csv")))(
  "hold-outs of the mirror (ALIGNSCOPE_MIRROR)",
  () => {
    let holdOuts: HoldOuts;
    beforeAll(async () => {
      holdOuts = await loadHoldOuts(mirror);
    });

    it("hold every challenge prompt", () => {
      expect(holdOuts.prompts.length).toBeGreaterThanOrEqual(1199);
      const index = new OverlapIndex(holdOuts);
      expect(holdOuts.prompts.filter((prompt) => !index.overlaps(`so ${prompt} and so on`))).toEqual([]);
    });

    it("hold a fifth of Jigsaw, toxic and not alike, and half of the Wikipedia passages", async () => {
      const rows = readJigsaw(await locateDataset("jigsaw-balanced", mirror));
      expect(rows).toHaveLength(12_180);
      expect(rows.filter((row) => row.toxic)).toHaveLength(6_090);
      expect(Math.abs(holdOuts.jigsaw.length / rows.length - HELD_OUT_SHARE.jigsaw)).toBeLessThan(0.01);
      expect(holdOuts.jigsaw.filter((row) => row.toxic).length / holdOuts.jigsaw.length).toBeCloseTo(0.5, 1);
      expect(holdOuts.wikiSamples.length / 2_064).toBeCloseTo(HELD_OUT_SHARE.wikiSamples, 1);
    });

    it("hold whole WikiText articles, at least a fifth of the text", async () => {
      const articles = readWikitext(await locateDataset("wikitext-2-raw-test", mirror));
      const characters = (kept: { text: string }[]): number =>
        kept.reduce((sum, { text }) => sum + text.length, 0);
      expect(articles).toHaveLength(60);
      expect(holdOuts.wikiText.map(({ title }) => title)).toEqual(
        articles.map(({ title }) => title).filter((title) => isHeldOutWikiText(title)),
      );
      expect(characters(holdOuts.wikiText) / characters(articles)).toBeGreaterThan(HELD_OUT_SHARE.wikiText);
    });
  },
);
