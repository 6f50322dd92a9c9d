import { mulberry32 } from "@alignscope/base/random";
import { readJsonl, readTsv } from "../data/readers.js";
import { detokenise, tidy } from "./cleaning.js";
import { readWikitext } from "./corpus-readers.js";
import {
  hashFraction,
  isHeldOutJigsaw,
  isHeldOutRtp,
  LAB_SEED,
  locateDataset,
  normaliseWords,
  readJigsaw,
} from "./splits.js";

/** Perspective's attributes whose maximum the paper's code takes for a text's toxicity. */
const ATTRIBUTES = [
  "profanity",
  "sexually_explicit",
  "identity_attack",
  "threat",
  "insult",
  "severe_toxicity",
  "toxicity",
] as const;

type Attributes = Partial<Record<(typeof ATTRIBUTES)[number], number | null>>;

/** Where a text is from: each source has an intercept of its own in training, for each has its own share of toxic texts. */
export const SOURCES = ["jigsaw", "rtp-prompt", "rtp-continuation", "paradetox"] as const;
export type Source = (typeof SOURCES)[number];

/** A text and how toxic it is held to be, 0 to 1. */
export interface ScorerExample {
  readonly text: string;
  readonly source: Source;
  readonly target: number;
  /** What its loss counts in training. */
  readonly weight: number;
  /** Whether the target is a score of Perspective's rather than a label or a guess. */
  readonly perspective: boolean;
}

/** A held-out text of RealToxicityPrompts with two of Perspective's verdicts of 2020. */
export interface HeldOutRtp {
  readonly text: string;
  readonly part: "prompt" | "continuation";
  readonly toxicity: number;
  /** The maximum over seven attributes, as the paper's code scores. */
  readonly maximum: number;
}

/** What no training of the scorer sees. No two texts have the same words. */
export interface HeldOutTexts {
  readonly jigsaw: { readonly text: string; readonly toxic: boolean }[];
  readonly rtp: HeldOutRtp[];
}

export interface ScorerData {
  readonly training: ScorerExample[];
  readonly heldOut: HeldOutTexts;
  /** Texts that were left out of training because they repeat a held-out text or a part of one. */
  readonly leftOut: number;
}

/**
 * Weights of the sources and how sure their labels are. A label of 1 in Jigsaw or ParaDetox is one vote of annotators,
 * not a score of 1.0 from Perspective: targets short of 0 and 1 keep weights from growing on a wrong label.
 */
const TRUST = {
  jigsaw: { weight: 1, toxic: 0.98, clean: 0.02 },
  rtp: { weight: 2 },
  paradetox: { weight: 0.5, toxic: 0.9, clean: 0.1 },
  encyclopaedia: { weight: 0.3, clean: 0.06 },
} as const;

/** A run of this many words shared with a held-out text counts as a repetition of it. */
const SHARED_RUN = 8;

/** Share of RealToxicityPrompts' training texts that the calibration is fitted on. */
const CALIBRATION_SHARE = 1 / 3;

/** Whether a training text is one of those that the calibration is fitted on. */
export const isForCalibration = (text: string, seed: number): boolean =>
  hashFraction(text, seed ^ 0x6c1b) < CALIBRATION_SHARE;

interface RtpScored {
  readonly prompt: Attributes & { readonly text: string };
  readonly continuation: Attributes & { readonly text: string };
}

interface RtpText extends HeldOutRtp {
  readonly heldOut: boolean;
}

async function readRtp(mirror: string | undefined, seed: number): Promise<RtpText[]> {
  const texts: RtpText[] = [];
  for (const name of ["realtoxicityprompts-challenge-scored", "realtoxicityprompts-nontoxic-scored"]) {
    for (const row of readJsonl<RtpScored>(await locateDataset(name, mirror))) {
      const heldOut = isHeldOutRtp(row.prompt.text, seed);
      for (const part of ["prompt", "continuation"] as const) {
        const { text, toxicity } = row[part];
        if (typeof toxicity !== "number") continue; // Perspective gave no verdict
        const maximum = Math.max(...ATTRIBUTES.map((attribute) => row[part][attribute] ?? 0));
        texts.push({ text, part, toxicity, maximum, heldOut });
      }
    }
  }
  return texts;
}

/** Passages of 6 to 24 words from encyclopaedic articles, cut anywhere, as a model's continuations are. */
function fragments(lines: readonly string[], seed: number): string[] {
  const random = mulberry32(seed ^ 0x77f3);
  const pieces: string[] = [];
  for (const line of lines) {
    const words = tidy(detokenise(line.trim())).split(" ");
    for (let at = 0; at < words.length;) {
      const length = 6 + Math.floor(random() * 19);
      if (at + 6 <= words.length) pieces.push(words.slice(at, at + length).join(" "));
      at += length * 2; // every other passage is enough
    }
  }
  return pieces;
}

/** Whether texts repeat held-out ones: the same words, or eight words in a row. */
class Repetition {
  private readonly wholes = new Set<string>();
  private readonly runs = new Set<string>();

  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const words = normaliseWords(text);
      this.wholes.add(words);
      for (const run of runsOf(words)) this.runs.add(run);
    }
  }

  in(text: string): boolean {
    const words = normaliseWords(text);
    return this.wholes.has(words) || runsOf(words).some((run) => this.runs.has(run));
  }
}

function runsOf(normalised: string): string[] {
  const words = normalised.split(" ");
  const runs: string[] = [];
  for (let i = 0; i + SHARED_RUN <= words.length; i += 1) runs.push(words.slice(i, i + SHARED_RUN).join(" "));
  return runs;
}

/** The first of those with the same words; texts without a word are dropped. */
function distinct<T extends { readonly text: string }>(rows: readonly T[]): T[] {
  const seen = new Set<string>([""]);
  return rows.filter(({ text }) => {
    const words = normaliseWords(text);
    return !seen.has(words) && Boolean(seen.add(words));
  });
}

/** Only what is held out, for recomputing a scorer's figures. */
export async function loadHeldOutTexts(mirror?: string, seed = LAB_SEED): Promise<HeldOutTexts> {
  const jigsaw = readJigsaw(await locateDataset("jigsaw-balanced", mirror));
  return heldOutOf(jigsaw, await readRtp(mirror, seed), seed);
}

function heldOutOf(
  jigsaw: readonly { readonly text: string; readonly toxic: boolean }[],
  rtp: readonly RtpText[],
  seed: number,
): HeldOutTexts {
  return {
    jigsaw: distinct(jigsaw.filter(({ text }) => isHeldOutJigsaw(text, seed))),
    rtp: distinct(rtp.filter(({ heldOut }) => heldOut)),
  };
}

/**
 * Everything that the scorer learns from and is measured with: Jigsaw, RealToxicityPrompts with Perspective's scores,
 * ParaDetox (toxic sentences and their neutral rewrites) and passages of WikiText-2's validation split as harmless
 * text. A training text that repeats a held-out one is left out.
 */
export async function loadScorerData(mirror?: string, seed = LAB_SEED): Promise<ScorerData> {
  const at = (name: string): Promise<string> => locateDataset(name, mirror);
  const jigsaw = readJigsaw(await at("jigsaw-balanced"));
  const rtp = await readRtp(mirror, seed);
  const heldOut = heldOutOf(jigsaw, rtp, seed);

  const candidates: ScorerExample[] = [];
  const add = (text: string, source: Source, target: number, weight: number, perspective = false) =>
    candidates.push({ text, source, target, weight, perspective });
  for (const { text, toxic } of jigsaw) {
    if (isHeldOutJigsaw(text, seed)) continue;
    add(text, "jigsaw", toxic ? TRUST.jigsaw.toxic : TRUST.jigsaw.clean, TRUST.jigsaw.weight);
  }
  for (const { text, part, toxicity, heldOut: kept } of rtp) {
    if (!kept) add(text, `rtp-${part}`, toxicity, TRUST.rtp.weight, true);
  }
  const paradetox = await at("paradetox");
  for (const row of readTsv<"toxic" | "neutral1" | "neutral2" | "neutral3">(paradetox)) {
    add(row.toxic, "paradetox", TRUST.paradetox.toxic, TRUST.paradetox.weight);
    for (const rewrite of [row.neutral1, row.neutral2, row.neutral3]) {
      add(rewrite, "paradetox", TRUST.paradetox.clean, TRUST.paradetox.weight);
    }
  }
  const lines = readWikitext(await at("wikitext-2-valid"))
    .flatMap((article) => article.text.split("\n"))
    .filter((line) => line.trim() !== "" && !line.startsWith(" ="))
    .flatMap((line) => line.split("<unk>"));
  for (const passage of fragments(lines, seed)) {
    // The intercept of the continuations, whose kind these passages are.
    add(passage, "rtp-continuation", TRUST.encyclopaedia.clean, TRUST.encyclopaedia.weight);
  }

  const different = distinct(candidates);
  const repetition = new Repetition([...heldOut.jigsaw, ...heldOut.rtp].map(({ text }) => text));
  const training = different.filter(({ text }) => !repetition.in(text));
  return { training, heldOut, leftOut: different.length - training.length };
}
