import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { isOffensive, mask, maskDistinct, parseWordList } from "../../src/present/mask.js";

// The words themselves stay in the data file: tests take them from there, by pattern.
const lines = readFileSync(join(projectRoot(), "data", "words", "offensive.txt"), "utf8")
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line !== "" && !line.startsWith("#"));
const listed = lines.filter((line) => !line.startsWith("!"));
const allowed = lines.filter((line) => line.startsWith("!")).map((line) => line.replace(/[!*]/g, ""));
const stem = (line: string): string => line.replace(/\*/g, "");
/** a four-letter word that is masked wherever it stands within a word */
const strong = stem(listed.find((line) => /^\*\p{L}{4}\*$/u.test(line)) ?? "");
/** the three-letter word that many ordinary words contain */
const short = "a" + "ss";

afterEach(() => vi.unstubAllEnvs());

describe("masking", () => {
  it("catches every listed word, in any case, as a token with a leading space, and inside a sentence", () => {
    for (const word of listed.map(stem)) {
      for (const written of [word, word.toUpperCase(), word[0]?.toUpperCase() + word.slice(1)]) {
        expect(mask(written), written).toMatch(/^\p{L}\*+\p{L}?$/u);
        expect(mask(` ${written}`)).toBe(` ${mask(written)}`);
        expect(mask(`he said: ${written}!`)).toBe(`he said: ${mask(written)}!`);
      }
    }
  });

  it("keeps the first letter, and the last from four letters on", () => {
    expect(mask(strong)).toBe(`${strong[0]}**${strong[3]}`);
    expect(mask(short)).toBe("a**");
  });

  it("catches inflections, compounds, pieces and drawn-out spellings", () => {
    for (const ending of ["s", "ed", "er", "ing", "wit"]) expect(isOffensive(strong + ending)).toBe(true);
    expect(isOffensive(`un${strong}ingbelievable`)).toBe(true);
    expect(isOffensive(strong.slice(0, 3))).toBe(true);
    expect(isOffensive(strong.replace("u", "uuuuu"))).toBe(true);
    expect(isOffensive(`${short}ssss`)).toBe(true);
    expect(mask(`${strong}_${strong}`)).toBe(`${mask(strong)}_${mask(strong)}`);
  });

  it("leaves ordinary words alone, also those that contain a listed one", () => {
    const ordinary =
      "class assess assassin Scunthorpe passage bass grass embassy assume cassette Essex Sussex analysis cocktail " +
      "peacock cockpit Hancock shuttlecock Dickens Dickinson pussycat title Titanic Constitution cucumber document " +
      "circumstance accumulate cumulative scrap raccoon tycoon cocoon spice spices despicable suspicion conspicuous " +
      "swank flagpole fagus Niger Nigeria nigh night snigger niggardly prickly twattle button buttress shiitake shiver " +
      "kiken chinkapin therapist grape skankin Mishima basement hello crap idiot stupid damn hell";
    for (const word of ordinary.split(" ")) expect(mask(word), word).toBe(word);
    for (const word of allowed) expect(mask(word), word).toBe(word);
  });

  it("touches nothing but letters of masked words", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const masked = mask(text);
        expect([...masked].length).toBe([...text].length);
        expect(mask(masked)).toBe(masked);
      }),
    );
  });

  it("is switched off by the caller, else by the environment", () => {
    expect(mask(strong, { show: true })).toBe(strong);
    vi.stubEnv("ALIGNSCOPE_SHOW_WORDS", "1");
    expect(mask(strong)).toBe(strong);
    expect(mask(strong, { show: false })).not.toBe(strong);
  });

  it("keeps different words different on an axis", () => {
    const alike = `${strong[0]}xx${strong[3]}`;
    const names = maskDistinct([strong, alike, strong.toUpperCase(), `${strong[0]}**${strong[3]}`]);
    expect(new Set(names.values()).size).toBe(4);
    expect(names.get(alike)).toBe(alike);
    expect(names.get(strong)).toBe(`${mask(strong)}²`);
  });

  it("refuses a word list that it cannot read, with the line", () => {
    expect(() => parseWordList("fine\nnot fine")).toThrow(/line 2: got "not fine", expected word/);
    expect(() => parseWordList("!*no*")).toThrow(/line 1/);
  });
});
