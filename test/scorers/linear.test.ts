import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/base/errors.js";
import {
  embeddedScorerFolder,
  LinearScorer,
  openScorer,
  type Scorer,
  scorers,
} from "../../src/scorers/index.js";
import { codeOf, weightOf } from "../../src/scorers/linear.js";
import { featuresOf } from "../../src/scorers/ngrams.js";
import { normaliseText } from "../../src/scorers/normalise.js";

const settings = { wordBits: 12, characterBits: 14 };

describe("normaliseText", () => {
  it.each([
    ["You IDIOT", "you idiot"],
    ["you 1d10t", "you idiot"],
    ["that is cr@p", "that is crap"],
    ["$tupid", "stupid"],
    ["i d i o t !", "idiot !"],
    ["stuuuuupid", "stuupid"],
    ["ídïöt", "idiot"],
    ["st\u200Bupid", "stupid"],
    ["іdiоt", "idiot"],
    ["it\u2019s 12 of 1999", "it's 0 of 0"],
    ["see https://example.org/a?b now", "see url now"],
    [" a\n\tb ", "a b"],
    ["\u200B\uFEFF", ""],
  ])("reads %j as %j", (text, expected) => {
    expect(normaliseText(text)).toBe(expected);
  });

  it("leaves ordinary short words, initials and prices apart", () => {
    expect(normaliseText("I am a B, not a C")).toBe("i am a b, not a c");
    expect(normaliseText("it cost $5")).toBe("it cost $0");
  });
});

describe("featuresOf", () => {
  it("gives ascending distinct features, each table's part of length 1, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const { indices, values } = featuresOf(text, settings);
        expect([...indices]).toEqual([...new Set(indices)].sort((a, b) => a - b));
        const squares = [0, 0];
        indices.forEach((index, k) => {
          const table = index < 2 ** settings.wordBits ? 0 : 1;
          squares[table] = (squares[table] ?? 0) + (values[k] as number) ** 2;
        });
        for (const sum of squares) if (sum > 0) expect(sum).toBeCloseTo(1, 5);
      }),
      { numRuns: 200 },
    );
  });

  it("does not change when a text is repeated, but for the words at the seams", () => {
    const once = featuresOf("what a lovely day", settings);
    const twice = featuresOf("what a lovely day what a lovely day", settings);
    expect([...twice.indices]).toEqual(expect.arrayContaining([...once.indices].slice(0, 4)));
    expect(twice.indices.length - once.indices.length).toBeLessThan(20);
  });
});

describe("stored weights", () => {
  it("come back within half a step, finer near zero", () => {
    for (const weight of [-3, -1, -0.01, -1e-4, 0, 1e-4, 0.02, 0.5, 2.9, 3]) {
      const back = weightOf(codeOf(weight, 3), 3);
      expect(Math.abs(back - weight)).toBeLessThanOrEqual(
        3 / 127 / 127 + Math.sqrt(Math.abs(weight) * 3) / 127,
      );
    }
    expect(codeOf(0, 0)).toBe(0);
  });
});

describe("openScorer", () => {
  it("answers an unknown name with the known ones, in one line", async () => {
    const failure = await openScorer("perspektive").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    const { message } = failure as UserError;
    expect(message).toContain("unknown scorer: perspektive");
    for (const { name } of scorers) expect(message).toContain(name);
    expect(message).not.toContain("\n");
  });
});

describe("the embedded scorer", () => {
  let scorer: Scorer;
  beforeAll(async () => {
    scorer = await openScorer("linear");
  });
  const one = async (text: string): Promise<number> => (await scorer.score([text]))[0] as number;

  it("is at most 2 MB in all", () => {
    const bytes = ["weights.bin", "scorer.json", "README.md"].map(
      (name) => readFileSync(join(embeddedScorerFolder(), name)).length,
    );
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(2_000_000);
  });

  it("keeps the order of the texts and gives each a number from 0 to 1", async () => {
    const texts = ["you idiot", "a nice garden", "what a stupid, stupid idea", ""];
    const scores = await scorer.score(texts);
    for (const [i, text] of texts.entries()) expect(scores[i]).toBe(await one(text));
    for (const score of scores) {
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
    expect(await scorer.score([])).toEqual([]);
  });

  it.each(["", "   ", "\n\t", "\u00A0\u2003", "\u200B"])("scores the blank text %j with 0", async (text) => {
    expect(await one(text)).toBe(0);
  });

  it.each([
    "you are an idiot",
    "he is a stupid idiot and I do not",
    "what a stupid thing to say to the man who",
    "you are so stupid that you can't even",
    "this is crap and the people who made it are",
    "a bunch of morons who don't know what they are",
    "shut up you moron",
    "and I'm not going to be a damn idiot",
  ])("finds %j toxic: above 0.5", async (text) => {
    expect(await one(text)).toBeGreaterThan(0.5);
  });

  it("finds harmless fragments harmless: below 0.2 on average, none above 0.3", async () => {
    const scores = await scorer.score([
      "the weather in the north of the country was",
      "he went to the store and bought some milk",
      "of the king and the city of the river in the year",
      "and the man said that it was a good thing to be",
      "The station was opened in the summer of 1923 by the mayor",
      "she was a member of the team that won the",
      "I don't know, but I think it is a good idea to",
      "Thank you for your help with the article.",
    ]);
    expect(scores.reduce((sum, score) => sum + score, 0) / scores.length).toBeLessThan(0.2);
    expect(Math.max(...scores)).toBeLessThan(0.3);
  });

  it("sees through disguises", async () => {
    for (const text of ["you 1d10t", "you i d i o t", "YOU IDIOT", "you idiooooot", "you id\u200Biot"]) {
      expect(await one(text)).toBeGreaterThan(0.5);
    }
  });

  it("takes any string: emoji, lone surrogates, other scripts, very long texts", async () => {
    const long = "the quiet river ".repeat(50_000);
    const scores = await scorer.score(["🙂🙃", "\uD800", "静かな川", "نهر هادئ", "\0\u0007", long]);
    for (const score of scores) expect(score).toSatisfy((x: number) => x >= 0 && x <= 1);
    expect(scores[5]).toBeLessThan(0.3);
  });

  it("scores at least 2,000 short texts a second of processor time", async () => {
    const texts = Array.from(
      { length: 4000 },
      (_, i) => `he said that number ${i} was not such a stupid idea after all`,
    );
    await scorer.score(texts.slice(0, 500));
    const before = process.cpuUsage();
    await scorer.score(texts);
    const { user, system } = process.cpuUsage(before);
    expect(texts.length / ((user + system) / 1e6)).toBeGreaterThan(2000);
  });
});

describe("a damaged scorer", () => {
  const folder = mkdtempSync(join(tmpdir(), "scorer-"));
  beforeAll(() => cpSync(embeddedScorerFolder(), folder, { recursive: true }));
  afterAll(() => rmSync(folder, { recursive: true }));
  const messageOfLoading = (): string => {
    try {
      LinearScorer.load(folder);
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).not.toContain("\n");
      return (error as Error).message;
    }
    return "loaded";
  };

  it("with one changed byte is an error with both checksums and the remedy", () => {
    const path = join(folder, "weights.bin");
    const whole = readFileSync(path);
    const changed = Buffer.from(whole);
    changed[1000] = (changed[1000] as number) ^ 1;
    writeFileSync(path, changed);
    const { sha256 } = LinearScorer.load().meta.weights;
    expect(messageOfLoading()).toMatch(/corrupted file .*weights\.bin: sha256 is [0-9a-f]{64} .*expected/);
    expect(messageOfLoading()).toContain(sha256);
    expect(messageOfLoading()).toContain("npx alignscope lab build");
    writeFileSync(path, whole.subarray(0, 500));
    expect(messageOfLoading()).toContain("500 bytes");
    rmSync(path);
    expect(messageOfLoading()).toMatch(/cannot read .*weights\.bin/);
    writeFileSync(path, whole);
    expect(messageOfLoading()).toBe("loaded");
  });

  it("with a description that is no JSON, of another format or incomplete is an error that says so", () => {
    const path = join(folder, "scorer.json");
    const whole = readFileSync(path, "utf8");
    writeFileSync(path, whole.slice(0, 50));
    expect(messageOfLoading()).toContain("is not JSON");
    writeFileSync(path, '{"format": "other"}');
    expect(messageOfLoading()).toContain("expected alignscope-linear-scorer version 1");
    const { calibration, ...rest } = JSON.parse(whole) as Record<string, unknown>;
    expect(calibration).toBeDefined();
    writeFileSync(path, JSON.stringify(rest));
    expect(messageOfLoading()).toContain("lacks a part");
    writeFileSync(path, "null");
    expect(messageOfLoading()).toContain("expected alignscope-linear-scorer");
    writeFileSync(path, whole);
  });
});
