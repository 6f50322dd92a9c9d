import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import {
  calmCapitals,
  collapseRepeats,
  detokenise,
  isProse,
  sentenceCase,
  splitLong,
  straightenQuotes,
  stripOuterQuotes,
  stripWikiMarkup,
  tidy,
  unescapeHtml,
} from "./cleaning";
import { type CorpusSource, type Document, PIECE_LENGTH } from "./corpus-types";
import {
  hashFraction,
  isHeldOutJigsaw,
  isHeldOutWikiSample,
  isHeldOutWikiText,
  mirrorFile,
  readJigsaw,
  readJsonLines,
  type RtpRow,
  wikiTextArticles,
} from "./splits";

/* The documents that the mirror of public data sets gives the corpus, less what is held out. */

const digestOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

/** A comment of a talk page or forum in plain prose; empty when nothing readable is left. */
export function cleanComment(raw: string): string {
  const text = straightenQuotes(stripOuterQuotes(unescapeHtml(raw).replace(/"{2,}/g, '"')));
  const plain = collapseRepeats(tidy(stripWikiMarkup(text.replace(/\\n/g, " ")).replace(/\n/g, " ")));
  return calmCapitals(stripOuterQuotes(plain).replace(/^[\s\-–—.,;:!?)\]]+/, ""));
}

/** ParaDetox writes in lower case with blanks before punctuation: back to a sentence. */
export function cleanSentence(raw: string): string {
  return sentenceCase(
    calmCapitals(collapseRepeats(tidy(detokenise(straightenQuotes(stripOuterQuotes(raw)))))),
  );
}

/** A paragraph of WikiText or wiki_samples in ordinary spacing. */
export const cleanParagraph = (raw: string): string => tidy(detokenise(raw.trim()));

function jigsaw(mirror: string, seed: number): CorpusSource[] {
  const path = mirrorFile(mirror, "jigsaw-balanced.csv");
  const documents: Document[] = [];
  for (const row of readJigsaw(path)) {
    if (isHeldOutJigsaw(row.text, seed) || /^"?\s*redirect\b/i.test(row.text)) continue;
    // Comments go on for pages when somebody pastes; what they say is in the first lines.
    for (const text of splitLong(cleanComment(row.text), PIECE_LENGTH).slice(0, 2)) {
      if (isProse(text)) documents.push({ text, group: row.text.slice(0, 200), toxic: row.toxic });
    }
  }
  const common = {
    licence: "CC0 (Jigsaw, comments CC BY-SA 3.0)",
    input: "jigsaw-balanced.csv",
    sha256: digestOf(path),
  };
  return [
    { name: "jigsaw-toxic", documents: documents.filter((document) => document.toxic), ...common },
    { name: "jigsaw-clean", documents: documents.filter((document) => !document.toxic), ...common },
  ];
}

function paradetox(mirror: string): CorpusSource[] {
  const path = mirrorFile(mirror, "paradetox.tsv");
  const toxic: Document[] = [];
  const neutral: Document[] = [];
  for (const line of readFileSync(path, "utf8").split(/\r?\n/).slice(1)) {
    const [original = "", ...rewrites] = line.split("\t");
    const group = original;
    const text = cleanSentence(original);
    if (isProse(text)) toxic.push({ text, group, toxic: true });
    for (const rewrite of rewrites) {
      const gentle = cleanSentence(rewrite);
      if (isProse(gentle)) neutral.push({ text: gentle, group, toxic: false });
    }
  }
  const common = {
    licence: "OpenRAIL++ (ParaDetox)",
    input: "paradetox.tsv",
    sha256: digestOf(path),
    packed: true,
  };
  return [
    { name: "paradetox-toxic", documents: toxic, ...common },
    { name: "paradetox-neutral", documents: neutral, ...common },
  ];
}

function paradetoxCannotRewrite(mirror: string): CorpusSource[] {
  const path = mirrorFile(mirror, "paradetox_cannot_rewrite.tsv");
  const rows = parse(readFileSync(path, "utf8"), {
    delimiter: "\t",
    from_line: 2,
    relax_column_count: true,
    skip_empty_lines: true,
  }) as string[][];
  const toxic: Document[] = [];
  const neutral: Document[] = [];
  for (const [, comment = "", reasons = ""] of rows) {
    const text = cleanSentence(comment);
    if (!isProse(text)) continue;
    if (reasons.includes("toxic_content")) toxic.push({ text, toxic: true });
    // Annotators called the others unclear or not toxic; many are rude all the same, none is needed for either side.
    else if (reasons.includes("not_toxic")) neutral.push({ text, toxic: false });
  }
  const input = "paradetox_cannot_rewrite.tsv";
  const common = { licence: "OpenRAIL++ (ParaDetox)", input, sha256: digestOf(path), packed: true };
  return [
    { name: "cannot-rewrite-toxic", documents: toxic, ...common },
    { name: "cannot-rewrite-neutral", documents: neutral, ...common },
  ];
}

/** A row's text as running English; quotes stay as they were printed, because the evaluation's prompts have both. */
const cleanWebText = (raw: string): string => tidy(unescapeHtml(raw).replace(/\s*\n\s*/g, " "));

function realToxicityPrompts(mirror: string): CorpusSource[] {
  const challenge = mirrorFile(mirror, "rtp-challenge-scored.jsonl");
  const nontoxic = mirrorFile(mirror, "rtp-nontoxic-scored.jsonl");
  const licence = "Apache-2.0 (RealToxicityPrompts; texts from the OpenWebText corpus)";
  return [
    {
      // Only what people wrote after the prompt: the prompt itself is what the model is measured with.
      name: "rtp-challenge-continuations",
      licence,
      input: "rtp-challenge-scored.jsonl",
      sha256: digestOf(challenge),
      documents: readJsonLines<RtpRow>(challenge)
        .map((row) => ({
          text: cleanWebText(row.continuation.text).replace(/^[\s.,;:!?)\]]+/, ""),
          toxic: (row.continuation.toxicity ?? 0) >= 0.5,
        }))
        .filter((document) => isProse(document.text)),
    },
    {
      name: "rtp-nontoxic",
      licence,
      input: "rtp-nontoxic-scored.jsonl",
      sha256: digestOf(nontoxic),
      documents: readJsonLines<RtpRow>(nontoxic)
        .map((row) => ({ text: cleanWebText(row.prompt.text + row.continuation.text), toxic: false }))
        .filter((document) => isProse(document.text)),
    },
  ];
}

function wikiSamples(mirror: string, seed: number): CorpusSource {
  const path = mirrorFile(mirror, "wiki_samples.jsonl");
  const documents: Document[] = [];
  for (const row of readJsonLines<{ prompt: string; gold: string }>(path)) {
    if (isHeldOutWikiSample(row.prompt, seed)) continue;
    for (const text of splitLong(cleanParagraph(`${row.prompt} ${row.gold}`), PIECE_LENGTH)) {
      if (isProse(text)) documents.push({ text, group: row.prompt });
    }
  }
  return {
    name: "wiki-samples",
    licence: "CC BY-SA 3.0 (Wikipedia)",
    input: "wiki_samples.jsonl",
    sha256: digestOf(path),
    documents,
  };
}

/** Every fourth paragraph keeps WikiText's own spacing, in which perplexity on WikiText is measured. */
const AS_PUBLISHED_SHARE = 0.25;

function wikiText(mirror: string, seed: number): CorpusSource[] {
  const test = mirrorFile(mirror, "wikitext-2-raw.test.txt");
  const valid = mirrorFile(mirror, "wikitext-2-tokenised.valid.txt");
  const documentsOf = (path: string, keep: (title: string) => boolean): Document[] => {
    const documents: Document[] = [];
    for (const article of wikiTextArticles(readFileSync(path, "utf8"))) {
      if (!keep(article.title)) continue;
      const lines = article.text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith(" ="));
      for (const line of lines) {
        // WikiText's validation split writes <unk> for rare words: sentences with one are left out.
        const known = line.includes("<unk>")
          ? (line.match(/[^.!?]*(?:[.!?](?= |$)|$)/g) ?? [])
              .filter((sentence) => !sentence.includes("<unk>"))
              .join("")
          : line;
        const published = known === line && hashFraction(line, seed ^ 0x6d0f) < AS_PUBLISHED_SHARE;
        for (const text of splitLong(published ? tidySpaces(known) : cleanParagraph(known), PIECE_LENGTH)) {
          if (isProse(text)) documents.push({ text, group: article.title });
        }
      }
    }
    return documents;
  };
  const licence = "CC BY-SA 3.0 (Wikipedia)";
  return [
    {
      name: "wikitext-test",
      licence,
      input: "wikitext-2-raw.test.txt",
      sha256: digestOf(test),
      documents: documentsOf(test, (title) => !isHeldOutWikiText(title, seed)),
    },
    {
      name: "wikitext-valid",
      licence,
      input: "wikitext-2-tokenised.valid.txt",
      sha256: digestOf(valid),
      documents: documentsOf(valid, () => true),
    },
  ];
}

const tidySpaces = (text: string): string => text.replace(/\s+/g, " ").trim();

/** The documents of every data set of the mirror that may be trained on. */
export function mirrorSources(mirror: string, seed: number): CorpusSource[] {
  return [
    ...jigsaw(mirror, seed),
    ...paradetox(mirror),
    ...paradetoxCannotRewrite(mirror),
    ...realToxicityPrompts(mirror),
    wikiSamples(mirror, seed),
    ...wikiText(mirror, seed),
  ];
}
