import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../../model/index.js";
import { valueAndGradients } from "@alignscope/tensors/tape";
import type { TokenPair } from "../preference-pair.js";
import { inParts, type PairBatch } from "./batch.js";
import { sideLogProbs, sideLogProbsAndKl } from "./log-probs.js";
import { dpoLosses } from "./loss.js";
import type { PairScore } from "./metrics.js";
import type { DpoSettings } from "./settings.js";

/** Log-probabilities of a pair's sides under the reference, in nats. */
export type SideLogProbs = readonly [chosen: number, rejected: number];

/** What of the settings decides a gradient. */
export type GradientSettings = Pick<
  DpoSettings,
  | "beta"
  | "klGamma"
  | "microBatchSize"
  | "maxGradNorm"
  | "countPrompt"
  | "countSidePadding"
  | "maskEos"
  | "positions"
>;

/** The settings of a layout: with a KL in the loss or in a report, as published, every position has to be as it is there. */
export function layoutOf(
  settings: GradientSettings,
  withKl: boolean,
): GradientSettings & { everyPosition: boolean } {
  return { ...settings, everyPosition: withKl && settings.countPrompt };
}

/** What is differentiated. */
export interface GradientRequest {
  policy: GPT2;
  /** Names of the parameters that the gradient is taken by. */
  names: readonly string[];
  /** Masks of ones and zeros by name, for parameters of which only entries are trained. */
  masks?: ReadonlyMap<string, tf.Tensor>;
  pairs: readonly TokenPair[];
  /** By pair. */
  reference: readonly SideLogProbs[];
  /** Needed where `klGamma` is above 0. */
  referenceModel?: GPT2;
  settings: GradientSettings;
}

/** The gradient of the mean loss of some pairs, scaled down to `maxGradNorm`. The tensors are the caller's. */
export interface DpoGradient {
  /** By name, each shaped like the parameter. */
  gradients: Map<string, tf.Tensor>;
  /**
   * What was found on the way, to be read at once: see {@link readFindings}. Nothing of it has been read yet, so that a
   * GPU need not wait.
   */
  findings: tf.Tensor1D;
  parts: { part: PairBatch; members: number[] }[];
  withKl: boolean;
}

/** The gradient of the mean DPO loss over pairs, by parts of `microBatchSize` pairs, clipped without being read. */
export function dpoGradient(request: GradientRequest): DpoGradient {
  const { policy, names, masks, pairs, settings } = request;
  const withKl = settings.klGamma > 0;
  const parts = inParts(pairs, settings.microBatchSize, layoutOf(settings, withKl), policy.config);
  const sums = new Map<string, tf.Tensor>();
  const found: tf.Tensor1D[] = [];
  try {
    for (const { part, members } of parts) {
      const gradients = gradientOfPart(request, part, members, found);
      names.forEach((name, i) => {
        const own = gradients[i] as tf.Tensor;
        const sum = sums.get(name);
        sums.set(name, sum ? tf.add(sum, own) : own);
        if (sum) tf.dispose([sum, own]);
      });
    }
    for (const [name, mask] of masks ?? []) {
      const whole = sums.get(name) as tf.Tensor;
      sums.set(name, tf.mul(whole, mask));
      whole.dispose();
    }
    const findings = tf.tidy(() => {
      const squares = tf.sum(tf.concat([...sums.values()].map(sumOfSquares)));
      // As torch.nn.utils.clip_grad_norm_ has it.
      const scale = tf.minimum(tf.div(settings.maxGradNorm, tf.add(tf.sqrt(squares), 1e-6)), 1);
      for (const [name, gradient] of sums) {
        sums.set(name, tf.keep(tf.mul(gradient, scale)));
        gradient.dispose();
      }
      return tf.concat<tf.Tensor1D>([tf.reshape(squares, [1]), ...found]);
    });
    return { gradients: sums, findings, parts, withKl };
  } catch (error) {
    tf.dispose([...sums.values()]);
    throw error;
  } finally {
    tf.dispose(found);
  }
}

/** By parameter; what the pairs' sides came to is added to `found`. */
function gradientOfPart(
  { policy, names, pairs, reference, referenceModel, settings }: GradientRequest,
  part: PairBatch,
  members: readonly number[],
  found: tf.Tensor1D[],
): tf.Tensor[] {
  const sources = names.map((name) => policy.weight(name));
  return tf.tidy(() => {
    const frozen = tf.tensor1d([0, 1].flatMap((side) => members.map((i) => reference[i]![side as 0 | 1])));
    const options = { gradient: "parameters" as const };
    const loss = (): tf.Scalar => {
      if (settings.klGamma === 0) {
        const logProbs = sideLogProbs(policy, part, options);
        found.push(tf.keep(logProbs));
        return tf.mul(tf.sum(dpoLosses(logProbs, frozen, settings.beta)), 1 / pairs.length);
      }
      if (!referenceModel) throw new Error("dpoGradient: klGamma above 0 needs the reference's model");
      const everyPosition = settings.countPrompt;
      const { logProbs, kl } = sideLogProbsAndKl(policy, referenceModel, part, everyPosition, options);
      found.push(tf.keep(tf.concat<tf.Tensor1D>([logProbs, kl])));
      const losses = tf.sum(dpoLosses(logProbs, frozen, settings.beta));
      return tf.mul(tf.add(losses, tf.mul(tf.sum(kl), settings.klGamma)), 1 / pairs.length);
    };
    const { gradients } = valueAndGradients(loss, sources);
    return gradients.map((gradient, i) => gradient ?? tf.zeros((sources[i] as tf.Tensor).shape));
  });
}

/** Along rows first: partial sums of like size lose less than one long sum. */
function sumOfSquares(x: tf.Tensor): tf.Tensor1D {
  const squares = tf.square(x);
  return tf.reshape(tf.sum(x.rank > 1 ? tf.sum(squares, -1) : squares), [1]);
}

/** What a gradient's pass found: the norm before clipping, and each pair's score, in the order of the pairs. */
export interface Findings {
  gradNorm: number;
  scores: PairScore[];
  tokens: number;
}

/** Reads what was found and frees it. */
export async function readFindings(
  { findings, parts, withKl }: Pick<DpoGradient, "findings" | "parts" | "withKl">,
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
