import { sha256Of } from "@alignscope/base/checksum";
import { UserError } from "@alignscope/base/errors";
import { mulberry32, shuffled } from "@alignscope/base/random";
import type { GPT2Config } from "../../model/index.js";
import type { TokenPair } from "../preference-pair.js";
import type { DpoSettings } from "./settings.js";

/** Pairs as a run takes them, and what became of the others. */
export interface PreparedPairs {
  training: TokenPair[];
  /** The last ones of those that were given. */
  validation: TokenPair[];
  report: PairsReport;
}

/** What preparing pairs came to. */
export interface PairsReport {
  given: number;
  training: number;
  validation: number;
  /** Pairs of which a prompt or a side was cut to its first tokens. */
  truncated: number;
  /** Ids of pairs that are another one's copy and left out. */
  duplicates: string[];
  /** Ids of pairs whose sides are the same once cut, and left out. */
  sameOnceTruncated: string[];
}

/**
 * Checks, truncates and splits pairs: a prompt keeps its first `maxPromptTokens`, a side its first `maxNewTokens` (what
 * the official tokenizer call does, docs/recipes.md#preference-pairs), a copy of an earlier pair is left out, and the last
 * `validationSize` are held out.
 *
 * @throws UserError naming the first pair that is empty on a side, has equal sides, an id that another has, or a token
 *   outside the vocabulary; and where too few are left
 */
export function preparePairs(
  pairs: readonly TokenPair[],
  settings: DpoSettings,
  config: Pick<GPT2Config, "vocabSize" | "nPositions">,
): PreparedPairs {
  checkPairs(pairs, config.vocabSize);
  const { maxPromptTokens, maxNewTokens, validationSize } = settings;
  const seen = new Set<string>();
  const duplicates: string[] = [];
  const sameOnceTruncated: string[] = [];
  let truncated = 0;
  const kept: TokenPair[] = [];
  for (const { id, prompt, chosen, rejected } of pairs) {
    const pair = {
      id,
      prompt: prompt.slice(0, maxPromptTokens),
      chosen: chosen.slice(0, maxNewTokens),
      rejected: rejected.slice(0, maxNewTokens),
    };
    const key = JSON.stringify([prompt, chosen, rejected]);
    const cut =
      prompt.length > maxPromptTokens || chosen.length > maxNewTokens || rejected.length > maxNewTokens;
    if (settings.dropDuplicates && seen.has(key)) {
      duplicates.push(id);
    } else if (cut && pair.chosen.join() === pair.rejected.join()) {
      sameOnceTruncated.push(id);
    } else {
      truncated += Number(cut);
      kept.push(pair);
    }
    seen.add(key);
  }
  if (kept.length <= validationSize) {
    throw new UserError(
      `DPO: ${kept.length} of ${pairs.length} pairs are usable, ${validationSize} of them to be held out: expected at least ${validationSize + 1}; give more pairs or a smaller validationSize`,
    );
  }
  const validation = kept.slice(-validationSize);
  const training = kept.slice(0, -validationSize);
  const counts = { given: pairs.length, training: training.length, validation: validation.length };
  return { training, validation, report: { ...counts, truncated, duplicates, sameOnceTruncated } };
}

function checkPairs(pairs: readonly TokenPair[], vocabSize: number): void {
  const ids = new Set<string>();
  for (const pair of pairs) {
    if (ids.has(pair.id)) {
      throw new UserError(`DPO: two pairs have the id ${JSON.stringify(pair.id)}: an id is to name one pair`);
    }
    ids.add(pair.id);
    for (const part of ["prompt", "chosen", "rejected"] as const) {
      const tokens = pair[part];
      if (tokens.length === 0) {
        throw new UserError(
          `DPO: pair ${pair.id}: ${part} is empty, expected at least one token; leave the pair out`,
        );
      }
      const at = tokens.findIndex((token) => !Number.isInteger(token) || token < 0 || token >= vocabSize);
      if (at >= 0) {
        throw new UserError(
          `DPO: pair ${pair.id}: token ${tokens[at]} at position ${at} of ${part}, expected 0 to ${vocabSize - 1} (were the pairs made with another tokenizer?)`,
        );
      }
    }
    if (pair.chosen.join() === pair.rejected.join()) {
      throw new UserError(
        `DPO: pair ${pair.id}: chosen and rejected are the same tokens, nothing can be preferred; leave the pair out`,
      );
    }
  }
}

/** One checksum of pairs in their order, whatever they were read from. */
export function checksumOfPairs(pairs: readonly TokenPair[]): string {
  const lines = pairs.map(({ id, prompt, chosen, rejected }) =>
    JSON.stringify([id, prompt, chosen, rejected]),
  );
  return sha256Of(lines.join("\n"));
}

/**
 * The order in which an epoch, counted from 0, takes the training pairs: theirs, or one that seed and epoch decide. Nothing
 * else is random in a run, so that epoch and position are all there is to say where it stands.
 */
export function orderOf(
  epoch: number,
  pairs: number,
  { shuffle, seed }: Pick<DpoSettings, "shuffle" | "seed">,
): number[] {
  const order = Array.from({ length: pairs }, (_, i) => i);
  // Seeds are spread, so that epoch 1 of one seed is not epoch 0 of the next.
  return shuffle ? shuffled(order, mulberry32(Math.imul(seed + 1, 0x9e3779b1) ^ epoch)) : order;
}

/** The training pairs of a step that begins at `position` of an epoch. */
export function batchAt(order: readonly number[], position: number, batchSize: number): number[] {
  return order.slice(position, position + batchSize);
}
