import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from "node:fs";
import type * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { appendWhole, writeFileAtomic } from "@alignscope/base/files";
import type { PairBatch } from "./batch.js";
import type { SideLogProbs } from "./log-probs.js";
import { softplus } from "@alignscope/tensors/logistic";

/** What a policy makes of one pair, with what the reference makes of it; log-probabilities in nats. */
export interface PairScore {
  policy: readonly [chosen: number, rejected: number];
  reference: readonly [chosen: number, rejected: number];
  /** KL(reference ‖ policy) per position; see {@link DpoMetrics}. */
  kl: readonly [chosen: number, rejected: number];
}

/** Means over pairs, under the names that users of TRL and of its forerunners know. */
export interface DpoMetrics {
  /** −log σ(margin), plus γ times both KLs where the loss has such a term. */
  loss: number;
  /** β(log π − log π_ref) of a side. */
  "rewards/chosen": number;
  "rewards/rejected": number;
  /** Share of pairs whose chosen side has the higher reward. */
  "rewards/accuracies": number;
  /** Reward of the chosen side less that of the rejected one. */
  "rewards/margins": number;
  "logps/chosen": number;
  "logps/rejected": number;
  /**
   * KL(reference ‖ policy), in nats per position of a side: where `kl_kind` is "exact" summed over the vocabulary; where
   * it is "sampled", log π_ref − log π of the side's own tokens, as if the reference had drawn them, which can be negative.
   */
  "kl/chosen": number;
  "kl/rejected": number;
}

/** Means of scores, in float64. */
export function metricsOf(
  scores: readonly PairScore[],
  { beta, klGamma }: { beta: number; klGamma: number },
): DpoMetrics {
  const mean = (of: (score: PairScore) => number): number =>
    scores.reduce((sum, score) => sum + of(score), 0) / scores.length;
  const reward = ({ policy, reference }: PairScore, side: 0 | 1): number =>
    beta * (policy[side] - reference[side]);
  const margin = (score: PairScore): number => reward(score, 0) - reward(score, 1);
  return {
    loss: mean((score) => softplus(-margin(score)) + klGamma * (score.kl[0] + score.kl[1])),
    "rewards/chosen": mean((score) => reward(score, 0)),
    "rewards/rejected": mean((score) => reward(score, 1)),
    "rewards/accuracies": mean((score) => Number(margin(score) > 0)),
    "rewards/margins": mean(margin),
    "logps/chosen": mean(({ policy }) => policy[0]),
    "logps/rejected": mean(({ policy }) => policy[1]),
    "kl/chosen": mean(({ kl }) => kl[0]),
    "kl/rejected": mean(({ kl }) => kl[1]),
  };
}

/** What a gradient's pass left unread, so that a GPU need not wait; see {@link readFindings}. */
export interface Unread {
  /** The squared norm of the gradient before clipping; then of each part its sides' log-probabilities, and their KLs. */
  findings: tf.Tensor1D;
  parts: { part: PairBatch; members: number[] }[];
  withKl: boolean;
}

/** What a gradient's pass found: the norm before clipping, and each pair's score, in the order of the pairs. */
export interface Findings {
  gradNorm: number;
  scores: PairScore[];
  tokens: number;
}

/** Reads what was found and frees it. */
export async function readFindings(
  { findings, parts, withKl }: Unread,
  reference: readonly SideLogProbs[],
): Promise<Findings> {
  const values = await findings.data();
  findings.dispose();
  const scores: PairScore[] = [];
  let start = 1;
  for (const { part, members } of parts) {
    const end = start + (withKl ? 4 : 2) * part.pairs;
    const own = scoresOf(
      part,
      values.subarray(start, end),
      members.map((i) => reference[i]!),
    );
    members.forEach((i, at) => (scores[i] = own[at]!));
    start = end;
  }
  return {
    gradNorm: Math.sqrt(values[0] ?? Number.NaN),
    scores,
    tokens: parts.reduce((sum, { part }) => sum + part.tokens, 0),
  };
}

/**
 * Scores of a part's pairs.
 *
 * @param values log-probabilities of its sides, the chosen ones first, and where they are known both sides' exact KL
 */
export function scoresOf(
  part: PairBatch,
  values: ArrayLike<number>,
  reference: readonly SideLogProbs[],
): PairScore[] {
  const { pairs } = part;
  const exact = values.length > 2 * pairs;
  const lengths = new Array<number>(2 * pairs).fill(0);
  part.rows.forEach((row) => (lengths[row]! += 1));
  return reference.map((frozen, i) => {
    const policy = [values[i]!, values[pairs + i]!] as const;
    const kl = ([0, 1] as const).map((side) =>
      exact
        ? values[2 * pairs + side * pairs + i]!
        : (frozen[side] - policy[side]) / lengths[side * pairs + i]!,
    ) as [number, number];
    return { policy, reference: frozen, kl };
  });
}

/**
 * A line of `log.jsonl`. A record of kind "train" tells of the step that has just been taken, with the policy before it; one
 * of kind "valid" of the held-out pairs after so many steps. Which pairs a step took follows from its epoch and the settings.
 */
export interface DpoRecord extends DpoMetrics {
  kind: "train" | "valid";
  /** Steps taken. */
  step: number;
  /** Training pairs seen. */
  examples: number;
  /** The epoch, counted from 0. */
  epoch: number;
  kl_kind: "exact" | "sampled";
  /** Norm of the gradient over all trained entries, before clipping. */
  grad_norm?: number;
  learning_rate?: number;
  /** Ids of the step's pairs. */
  pairs?: string[];
  /** The lowest validation loss so far. */
  best_loss?: number;
  /** Evaluations since the last improvement. */
  since_improved?: number;
  /** Real tokens of the step's sequences, prompts included, per second: the one field that two runs differ in. */
  tokens_per_second?: number;
}

/** A run's log, of which only lines that a checkpoint knows of are kept when the run goes on. */
export class RunLog {
  private readonly file: number;

  private constructor(
    readonly path: string,
    private count: number,
  ) {
    this.file = openSync(path, "a");
  }

  /** Opens a log cut back to its first `lines`. */
  static open(path: string, lines: number): RunLog {
    const all = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [""];
    const complete = all.length - 1;
    if (complete < lines) {
      throw new UserError(
        `${path} has ${complete} lines, the checkpoint beside it was written after ${lines}: put the log back, or start in another folder`,
      );
    }
    const kept = all.slice(0, lines).map((line) => `${line}\n`);
    if (all.slice(lines).some((rest) => rest !== "") || complete > lines)
      writeFileAtomic(path, kept.join(""));
    return new RunLog(path, lines);
  }

  get lines(): number {
    return this.count;
  }

  append(record: DpoRecord): void {
    appendWhole(this.file, `${JSON.stringify(record)}\n`);
    this.count += 1;
  }

  /** Makes sure that what was appended outlives a crash of the machine. */
  sync(): void {
    fsyncSync(this.file);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Reads a run's log: `log.jsonl` of its folder. A line that was cut off by a crash is left out. */
export function readLog(path: string): DpoRecord[] {
  if (!existsSync(path)) throw new UserError(`no log of DPO at ${path}`);
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as DpoRecord);
}
