import type { BpeTokenizer } from "./bpe.js";
import type { Label, MixtureOptions } from "./corpus-balance.js";
import type { DrawnDocument, Mixture } from "./corpus-mixture.js";
import type { PartedSource } from "./corpus-parting.js";
import type { TokenStream } from "./corpus-tokens.js";
import type { Register } from "./corpus-types.js";
import { HELD_OUT_SHARE, type HoldOuts } from "./splits.js";

/** Tokens of the training stream by label, end-of-text tokens included. */
export type LabelTokens = Record<Label, number>;

/** What `corpus.json` tells of a source. */
export interface SourceFigures {
  name: string;
  register: Register;
  input: string;
  origin: string;
  sha256: string;
  licence: string;
  /** How often a text of the source is read on average. */
  weight: number;
  /** Documents that are left after what `dropped` counts. */
  documents: number;
  /** Duplicates, texts that repeat a held-out one, and texts that are neither toxic nor clean enough. */
  dropped: { duplicates: number; heldOut: number; unclear: number };
  trainTokens: number;
  toxicTrainTokens: number;
  cleanTwinTokens: number;
}

export interface CorpusSummary {
  seed: number;
  mixture: MixtureOptions;
  vocabSize: number;
  endOfTextId: number;
  /** Offensive words (with a blank before them) that occur often enough to be wanted as tokens, and that are. */
  offensiveWords: { used: number; singleTokens: number };
  tokens: {
    train: number;
    valid: number;
    documents: number;
    toxicShareOfTrain: number;
    /** Of the validation stream. */
    bytesPerToken: number;
  };
  /** How often texts are read: swearing ones, mild ones, by register the clean ones, and the rest. */
  readings: { toxic: number; mild: number; clean: Partial<Record<Register, number>>; neutral: number };
  registers: Partial<Record<Register, LabelTokens>>;
  heldOut: {
    shares: typeof HELD_OUT_SHARE;
    prompts: number;
    wikiTextArticles: string[];
    wikiSamples: number;
    jigsaw: number;
    embedded: number;
    /** Documents that were dropped because they repeat one of these. */
    dropped: number;
  };
  sources: SourceFigures[];
  files: Record<string, { sha256: string; bytes: number }>;
}

interface Made {
  seed: number;
  mixture: MixtureOptions;
  tokenizer: BpeTokenizer;
  holdOuts: HoldOuts;
  parted: readonly PartedSource[];
  drawn: Mixture;
  train: TokenStream;
  valid: TokenStream;
  offensive: CorpusSummary["offensiveWords"];
  files: CorpusSummary["files"];
}

const noTokens = (): LabelTokens => ({ toxic: 0, clean: 0, neutral: 0 });

/** Tokens by a property of the documents. */
function tokensBy<Key>(
  { train, drawn }: Made,
  keyOf: (document: DrawnDocument) => Key,
): Map<Key, LabelTokens> {
  const tokens = new Map<Key, LabelTokens>();
  for (const [i, document] of drawn.train.entries()) {
    const key = keyOf(document);
    const own = tokens.get(key) ?? noTokens();
    own[document.label] += train.lengths[i] as number;
    tokens.set(key, own);
  }
  return tokens;
}

const total = ({ toxic, clean, neutral }: LabelTokens): number => toxic + clean + neutral;

/** What `corpus.json` says. */
export function summarise(made: Made): CorpusSummary {
  const { tokenizer, holdOuts, parted, drawn, train, valid } = made;
  const bySource = tokensBy(made, ({ source }) => source);
  const byRegister = tokensBy(made, ({ register }) => register);
  const toxic = [...byRegister.values()].reduce((sum, tokens) => sum + tokens.toxic, 0);
  const characters = new Map<string, number>();
  for (const { source, text } of drawn.train) {
    characters.set(source, (characters.get(source) ?? 0) + text.length);
  }
  const sources = parted.map(({ source, train: documents, valid: kept, dropped }): SourceFigures => {
    const { name, register, input, origin = input, sha256, licence } = source;
    const tokens = bySource.get(name) ?? noTokens();
    const once = documents.reduce((sum, { text }) => sum + text.length, 0);
    return {
      name,
      register,
      input,
      origin,
      sha256,
      licence,
      weight: Number(((characters.get(name) ?? 0) / Math.max(1, once)).toFixed(2)),
      documents: documents.length + kept.length,
      dropped,
      trainTokens: total(tokens),
      toxicTrainTokens: tokens.toxic,
      cleanTwinTokens: tokens.clean,
    };
  });
  return {
    seed: made.seed,
    mixture: made.mixture,
    vocabSize: tokenizer.vocabSize,
    endOfTextId: tokenizer.eosTokenId,
    offensiveWords: made.offensive,
    tokens: {
      train: train.ids.length,
      valid: valid.ids.length,
      documents: train.lengths.length,
      toxicShareOfTrain: toxic / train.ids.length,
      bytesPerToken: valid.bytes / valid.ids.length,
    },
    readings: {
      toxic: drawn.readings.toxic,
      mild: drawn.readings.toxic * made.mixture.mildRate,
      clean: Object.fromEntries(drawn.readings.clean),
      neutral: drawn.readings.neutral,
    },
    registers: Object.fromEntries(byRegister),
    heldOut: {
      shares: HELD_OUT_SHARE,
      prompts: holdOuts.prompts.length,
      wikiTextArticles: holdOuts.wikiText.map((article) => article.title),
      wikiSamples: holdOuts.wikiSamples.length,
      jigsaw: holdOuts.jigsaw.length,
      embedded: holdOuts.embedded.length,
      dropped: parted.reduce((sum, { dropped }) => sum + dropped.heldOut, 0),
    },
    sources,
    files: made.files,
  };
}
