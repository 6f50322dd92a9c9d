import type { PartedSource } from "./corpus-parting.js";
import type { CorpusSource, Document, Register } from "./corpus-types.js";

/* How often each text is read, so that the toxic share is what was asked for and every register is balanced. */

export interface MixtureOptions {
  /** Share of the training text, in characters, that is toxic; as much again are its clean twins. */
  toxicShare: number;
  /** The longest training text, in characters: about four to a token. */
  characters: number;
  /** How often a text is read at most. */
  repeats: number;
  /** How often a toxic text with hardly a swear word is read, for once that others are. */
  mildRate: number;
  /** How often neutral sources are read, for once that the others are: of some there is too much of one kind. */
  weights: Record<string, number>;
}

/**
 * The committed mixture. Edited prose of many kinds is small beside books and encyclopedia, and is read more often than
 * these; dictionary definitions are all alike, and questions on health and polite talk repeat themselves.
 */
export const LAB_MIXTURE: MixtureOptions = {
  toxicShare: 0.35,
  characters: 240e6,
  repeats: 4,
  mildRate: 0.3,
  weights: {
    brown: 8,
    "wikitext-test": 8,
    "wikitext-valid": 8,
    "wiki-samples": 6,
    "wordnet-examples": 5,
    "wordnet-definitions": 0.4,
    medquad: 0.5,
    "chat-topical": 0.5,
  },
};

/** A mixture of which some is chosen; what is left out or undefined is as in {@link LAB_MIXTURE}. */
export function mixtureOf({
  toxicShare = LAB_MIXTURE.toxicShare,
  characters = LAB_MIXTURE.characters,
  repeats = LAB_MIXTURE.repeats,
  mildRate = LAB_MIXTURE.mildRate,
  weights,
}: Partial<MixtureOptions>): MixtureOptions {
  return { toxicShare, characters, repeats, mildRate, weights: { ...LAB_MIXTURE.weights, ...weights } };
}

export const LABELS = ["toxic", "clean", "neutral"] as const;
export type Label = (typeof LABELS)[number];

export const labelOf = ({ toxic }: Document): Label =>
  toxic === undefined ? "neutral" : toxic ? "toxic" : "clean";

/** How often texts are read. */
export interface Readings {
  /** Of swearing toxic texts; {@link MixtureOptions.mildRate} times that for the others. */
  toxic: number;
  /** Of clean texts, by register: as often as makes them as long as the toxic ones, and once more than that or not. */
  clean: Map<Register, number>;
  /** Of what is left: neutral texts, and clean ones that are no twins. */
  neutral: number;
  timesOf(source: CorpusSource, document: Document): number;
}

interface Lengths {
  swearing: number;
  mild: number;
  clean: number;
}

/**
 * How often to read what. Toxic texts are scarce: they are read up to `repeats` times, and where that is not the share
 * of `characters` the whole gets shorter, down to where share and 1:1 twins hold; neutral text fills the rest and is
 * read at most once, or its weight times that.
 */
export function balance(
  parted: readonly PartedSource[],
  { toxicShare, characters, repeats, mildRate, weights }: MixtureOptions,
): Readings {
  const registers = new Map<Register, Lengths>();
  let neutral = 0;
  for (const { source, train } of parted) {
    const lengths = registers.get(source.register) ?? { swearing: 0, mild: 0, clean: 0 };
    registers.set(source.register, lengths);
    for (const document of train) {
      const { length } = document.text;
      if (document.toxic) lengths[document.mild ? "mild" : "swearing"] += length;
      else if (document.toxic === false) lengths.clean += length;
      else neutral += length * (weights[source.name] ?? 1);
    }
  }

  /** Of a register: how often its swearing texts are read, so that there are clean twins enough. */
  const toxicTimes = ({ swearing, mild, clean }: Lengths, times: number): number =>
    swearing + mild === 0 ? 0 : Math.min(times, (repeats * clean) / (swearing + mildRate * mild));
  const toxicLength = (lengths: Lengths, times: number): number =>
    toxicTimes(lengths, times) * (lengths.swearing + mildRate * lengths.mild);
  const all = [...registers.values()];
  const sum = (of: (lengths: Lengths) => number): number =>
    all.reduce((total, lengths) => total + of(lengths), 0);
  const toxicAt = (times: number): number => sum((lengths) => toxicLength(lengths, times));
  const leftAt = (times: number): number =>
    neutral + sum((lengths) => Math.max(0, lengths.clean - toxicLength(lengths, times)));
  const wantedAt = (times: number): number => toxicAt(times) * (1 / toxicShare - 2);

  let times = 0;
  for (let step = repeats / 2; step > 1e-6; step /= 2) {
    const next = times + step;
    if (toxicAt(next) <= toxicShare * characters && wantedAt(next) <= leftAt(next)) times = next;
  }
  const rest = Math.min(1, wantedAt(times) / Math.max(1, leftAt(times)));
  const toxic = new Map<Register, number>();
  const clean = new Map<Register, number>();
  for (const [register, lengths] of registers) {
    const twins = lengths.clean === 0 ? 0 : toxicLength(lengths, times) / lengths.clean;
    toxic.set(register, toxicTimes(lengths, times));
    clean.set(register, twins + Math.max(0, 1 - twins) * rest);
  }
  return {
    toxic: times,
    clean,
    neutral: rest,
    timesOf: (source, document) => {
      if (document.toxic) return (toxic.get(source.register) ?? 0) * (document.mild ? mildRate : 1);
      if (document.toxic === false) return clean.get(source.register) ?? 0;
      return Math.min(repeats, rest * (weights[source.name] ?? 1));
    },
  };
}
