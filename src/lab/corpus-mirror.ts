import { readJsonl, readTsv } from "../data/readers.js";
import { registered } from "../data/registry.js";
import {
  calmCapitals,
  collapseRepeats,
  detokenise,
  isProse,
  isRepetitive,
  sentenceCase,
  splitLong,
  straightenQuotes,
  stripOuterQuotes,
  stripWikiMarkup,
  tidy,
  unescapeHtml,
} from "./cleaning.js";
import { type Article, readWikitext } from "./corpus-readers.js";
import { type CorpusSource, type Document, PIECE_LENGTH } from "./corpus-types.js";
import {
  hashFraction,
  isHeldOutJigsaw,
  isHeldOutWikiSample,
  isHeldOutWikiText,
  locateDataset,
  readJigsaw,
  type RtpRow,
  type WikiSample,
} from "./splits.js";

/* The documents that the public data sets give the corpus, less what is held out. */

/** A comment of a talk page or forum in plain prose; empty when nothing readable is left. */
export function cleanComment(raw: string): string {
  const text = straightenQuotes(stripOuterQuotes(unescapeHtml(raw).replace(/"{2,}/g, '"')));
  const plain = collapseRepeats(tidy(stripWikiMarkup(text.replace(/\\n/g, " ")).replace(/\n/g, " ")));
  return calmCapitals(stripOuterQuotes(plain).replace(/^[\s\-–—.,;:!?)\]]+/, ""));
}

/** A sentence of ParaDetox, which writes in lower case with blanks before punctuation, as people write. */
export function cleanSentence(raw: string): string {
  const text = tidy(detokenise(straightenQuotes(stripOuterQuotes(raw)))).replace(/^rt\b[\s:]*/i, "");
  return sentenceCase(calmCapitals(collapseRepeats(text)));
}

/** A paragraph of WikiText or wiki_samples in ordinary spacing. */
export const cleanParagraph = (raw: string): string => tidy(detokenise(raw.trim()));

/** A text of the web in one paragraph; quotes stay as printed, because the evaluation's prompts have both kinds. */
export const cleanWebText = (raw: string): string =>
  tidy(
    unescapeHtml(raw)
      .replace(/https?:\/\/\S+/g, " ")
      .replace(/\s*\n\s*/g, " "),
  );

/** A registered data set: where it lies, and what the corpus file tells of it. */
interface Input {
  path: string;
  about: Pick<CorpusSource, "input" | "licence" | "origin" | "sha256" | "measured">;
}

async function openInput(name: string, mirror: string | undefined): Promise<Input> {
  const { licence, origin, sha256 } = registered(name);
  return {
    path: await locateDataset(name, mirror),
    about: { input: name, licence, origin, sha256, measured: true },
  };
}

function jigsaw({ path, about }: Input, seed: number): CorpusSource[] {
  const documents: Document[] = [];
  for (const row of readJigsaw(path)) {
    if (isHeldOutJigsaw(row.text, seed) || /^"?\s*redirect\b/i.test(row.text)) continue;
    // Comments go on for pages when somebody pastes; what they say is in the first lines.
    for (const text of splitLong(cleanComment(row.text), PIECE_LENGTH).slice(0, 2)) {
      if (isProse(text) && !isRepetitive(row.text)) {
        documents.push({ text, group: row.text.slice(0, 200), toxic: row.toxic });
      }
    }
  }
  return [
    {
      name: "jigsaw-toxic",
      register: "talk-page",
      documents: documents.filter((document) => document.toxic),
      ...about,
    },
    {
      name: "jigsaw-clean",
      register: "talk-page",
      documents: documents.filter((document) => !document.toxic),
      ...about,
    },
  ];
}

function paradetox({ path, about }: Input): CorpusSource[] {
  const toxic: Document[] = [];
  const neutral: Document[] = [];
  for (const row of readTsv<"toxic" | "neutral1" | "neutral2" | "neutral3">(path)) {
    const group = row.toxic;
    const text = cleanSentence(row.toxic);
    if (isProse(text)) toxic.push({ text, group, toxic: true });
    for (const rewrite of [row.neutral1, row.neutral2, row.neutral3]) {
      const gentle = cleanSentence(rewrite);
      if (isProse(gentle)) neutral.push({ text: gentle, group, toxic: false });
    }
  }
  return [
    { name: "paradetox-toxic", register: "sentences", documents: toxic, ...about },
    { name: "paradetox-neutral", register: "sentences", documents: neutral, ...about },
  ];
}

function paradetoxCannotRewrite({ path, about }: Input): CorpusSource[] {
  const toxic: Document[] = [];
  const neutral: Document[] = [];
  for (const row of readTsv<"INPUT:toxic_comment" | "OUTPUT:reasons">(path)) {
    const text = cleanSentence(row["INPUT:toxic_comment"]);
    const reasons = row["OUTPUT:reasons"];
    if (!isProse(text)) continue;
    if (reasons.includes("toxic_content")) toxic.push({ text, toxic: true });
    // Annotators called the others unclear: many are rude all the same, and neither side needs them.
    else if (reasons.includes("not_toxic")) neutral.push({ text, toxic: false });
  }
  return [
    { name: "cannot-rewrite-toxic", register: "sentences", documents: toxic, ...about },
    { name: "cannot-rewrite-neutral", register: "sentences", documents: neutral, ...about },
  ];
}

/** A label from Perspective's score; between the bounds there is none. */
function toxicByScore(score: number | null | undefined): boolean | undefined {
  if (score === null || score === undefined) return undefined;
  return score >= 0.5 ? true : score <= 0.2 ? false : undefined;
}

/** What people wrote after the challenge prompts, and only that: the prompts are what the model is measured with. */
function challengeContinuations({ path, about }: Input): CorpusSource {
  const documents = readJsonl<RtpRow>(path).map((row) => ({
    text: cleanWebText(row.continuation.text).replace(/^[\s.,;:!?)\]]+/, ""),
    toxic: toxicByScore(row.continuation.toxicity),
  }));
  return {
    name: "rtp-challenge-continuations",
    register: "web",
    documents: documents.filter((document) => isProse(document.text)),
    ...about,
  };
}

function nontoxicPrompts({ path, about }: Input): CorpusSource {
  const documents = readJsonl<RtpRow>(path).map((row) => ({
    text: cleanWebText(row.prompt.text + row.continuation.text),
    toxic: false,
  }));
  return {
    name: "rtp-nontoxic",
    register: "web",
    documents: documents.filter((document) => isProse(document.text)),
    ...about,
  };
}

function wikiSamples({ path, about }: Input, seed: number): CorpusSource {
  const documents: Document[] = [];
  for (const row of readJsonl<WikiSample>(path)) {
    if (isHeldOutWikiSample(row.prompt, seed)) continue;
    for (const text of splitLong(cleanParagraph(`${row.prompt} ${row.gold}`), PIECE_LENGTH)) {
      if (isProse(text)) documents.push({ text, group: row.prompt });
    }
  }
  return { name: "wiki-samples", register: "prose", documents, ...about };
}

/** A quarter of the paragraphs keeps WikiText's own spacing, in which perplexity on WikiText is measured. */
const AS_PUBLISHED_SHARE = 0.25;

/** WikiText's tokenised splits write <unk> for rare words: a paragraph without the sentences that have one. */
function withoutUnknown(line: string): string {
  if (!line.includes("<unk>")) return line;
  const sentences = line.match(/[^.!?]*(?:[.!?](?= |$)|$)/g) ?? [];
  return sentences.filter((sentence) => !sentence.includes("<unk>")).join("");
}

function wikiText(name: string, articles: Article[], { about }: Input, seed: number): CorpusSource {
  const documents: Document[] = [];
  for (const article of articles) {
    for (const line of article.text.split("\n")) {
      if (line.trim() === "" || /^ ?=/.test(line)) continue;
      const known = withoutUnknown(line);
      const published = known === line && hashFraction(line, seed ^ 0x6d0f) < AS_PUBLISHED_SHARE;
      const paragraph = published ? line.replace(/\s+/g, " ").trim() : cleanParagraph(known);
      for (const text of splitLong(paragraph, PIECE_LENGTH)) {
        if (isProse(text)) documents.push({ text, group: article.title });
      }
    }
  }
  return { name, register: "prose", documents, ...about };
}

/** The documents of every registered data set that may be trained on. */
export async function mirrorSources(mirror: string | undefined, seed: number): Promise<CorpusSource[]> {
  const open = (name: string): Promise<Input> => openInput(name, mirror);
  const test = await open("wikitext-2-raw-test");
  const valid = await open("wikitext-2-valid");
  return [
    ...jigsaw(await open("jigsaw-balanced"), seed),
    ...paradetox(await open("paradetox")),
    ...paradetoxCannotRewrite(await open("paradetox-cannot-rewrite")),
    challengeContinuations(await open("realtoxicityprompts-challenge-scored")),
    nontoxicPrompts(await open("realtoxicityprompts-nontoxic-scored")),
    wikiSamples(await open("wiki-samples"), seed),
    wikiText(
      "wikitext-test",
      readWikitext(test.path).filter((article) => !isHeldOutWikiText(article.title, seed)),
      test,
      seed,
    ),
    wikiText("wikitext-valid", readWikitext(valid.path), valid, seed),
  ];
}
