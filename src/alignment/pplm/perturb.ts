import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import type { GPT2 } from "../../model/index.js";
import { largest } from "../../toxicity/vocabulary.js";
import { checkAttribute, type AttributeModel } from "./attribute.js";
import { AttributeHead } from "./objective.js";
import { settingsOf, type PPLMOptions, type PPLMSettings } from "./options.js";
import { PerturbedBatch, type Iteration } from "./perturbed-batch.js";

/** One row's losses in one iteration, before its step; in nats. */
export interface IterationLosses {
  /** crossEntropy + klScale·kl */
  loss: number;
  /** −log P(target) of the attribute. */
  crossEntropy: number;
  /** KL(perturbed ‖ unperturbed) of the next token. */
  kl: number;
  /** By block: the norm of the loss' gradient by its keys and values together. */
  gradientNorms: number[];
}

/** The perturbation of one row for one token. */
export interface Perturbation {
  iterations: IterationLosses[];
  /** Probabilities of the next token, `[vocab]`. */
  unperturbed: number[];
  /** With the perturbed past, at the temperature. */
  perturbed: number[];
  /** perturbed^gmScale · unperturbed^(1−gmScale), of which the topK are kept and add up to 1; `[vocab]`. */
  fused: number[];
}

/**
 * Perturbs the past of each context for its next token and says what became of it: what {@link generatePerturbed} does for
 * each of its tokens, in the open.
 *
 * @param contexts token ids, of at least two tokens each: a single one has no past
 *
 * @example
 * const [{ iterations, fused }] = await perturbPast(model, [ids], { attribute, iterations: 3 });
 */
export async function perturbPast(
  model: GPT2,
  contexts: readonly (readonly number[])[],
  { attribute, ...options }: PPLMOptions & { attribute: AttributeModel },
): Promise<Perturbation[]> {
  const settings = settingsOf(options);
  checkAttribute(attribute, model.config.dModel);
  checkRoom(model, contexts, 1, settings);
  const single = contexts.findIndex((context) => context.length === 1);
  if (single >= 0) {
    throw new UserError(
      `context ${single} is a single token: expected two at least, since only the past is perturbed`,
    );
  }
  const head = new AttributeHead(attribute);
  let batch: PerturbedBatch | undefined;
  const iterations: Iteration[] = [];
  try {
    batch = PerturbedBatch.begin(model, head, contexts, { newTokens: 1, horizon: settings.horizon });
    for (let i = 0; i < settings.iterations; i++) iterations.push(batch.iterate(settings));
    const losses = await lossesOf(iterations, settings);
    const { perturbed, unperturbed } = batch.next(settings.temperature);
    const logProbs = [unperturbed, perturbed, tf.tidy(() => fuse(perturbed, unperturbed, settings.gmScale))];
    const [before, after, fused] = (await Promise.all(logProbs.map((x) => x.array()))) as [
      number[][],
      number[][],
      number[][],
    ];
    tf.dispose(logProbs);
    return contexts.map((_, row) => ({
      iterations: losses.map((one) => one[row] as IterationLosses),
      unperturbed: (before[row] as number[]).map(Math.exp),
      perturbed: (after[row] as number[]).map(Math.exp),
      fused: keptProbabilities(fused[row] as number[], settings.topK),
    }));
  } finally {
    for (const { crossEntropy, kl, gradientNorms } of iterations)
      tf.dispose([crossEntropy, kl, ...gradientNorms]);
    batch?.dispose();
    head.dispose();
  }
}

/** log(perturbed^gmScale · unperturbed^(1−gmScale)), up to a constant: `[row, vocab]`. */
export function fuse(perturbed: tf.Tensor2D, unperturbed: tf.Tensor2D, gmScale: number): tf.Tensor2D {
  return tf.add(tf.mul<tf.Tensor2D>(perturbed, gmScale), tf.mul(unperturbed, 1 - gmScale));
}

/** The losses of each iteration, row by row. */
async function lossesOf(
  iterations: readonly Iteration[],
  { klScale }: PPLMSettings,
): Promise<IterationLosses[][]> {
  return Promise.all(
    iterations.map(async ({ crossEntropy, kl, gradientNorms }) => {
      const [entropies, divergences, ...norms] = await Promise.all(
        [crossEntropy, kl, ...gradientNorms].map((x) => x.array()),
      );
      return (entropies ?? []).map((entropy, row) => {
        const own = divergences?.[row] ?? Number.NaN;
        return {
          loss: entropy + klScale * own,
          crossEntropy: entropy,
          kl: own,
          gradientNorms: norms.map((layer) => layer[row] ?? Number.NaN),
        };
      });
    }),
  );
}

/** Probabilities of the `topK` likeliest, the others 0. */
function keptProbabilities(logProbs: number[], topK: number): number[] {
  const best = largest(logProbs, topK);
  const weights = best.map((token) =>
    Math.exp((logProbs[token] as number) - (logProbs[best[0] as number] as number)),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const kept = logProbs.map(() => 0);
  best.forEach((token, i) => (kept[token] = (weights[i] as number) / sum));
  return kept;
}

/** Refuses contexts that leave no room for `newTokens` and the horizon after the last of them. */
export function checkRoom(
  { config }: GPT2,
  prompts: readonly (readonly number[])[],
  newTokens: number,
  { horizon }: Pick<PPLMSettings, "horizon">,
): void {
  if (prompts.length === 0) throw new UserError("no prompts: expected at least one sequence of tokens");
  const empty = prompts.findIndex((prompt) => prompt.length === 0);
  if (empty >= 0)
    throw new UserError(`prompt ${empty} is empty: expected at least one token, e.g. end-of-text`);
  const longest = prompts.reduce((most, { length }) => Math.max(most, length), 0);
  if (longest + newTokens - 1 + horizon <= config.nPositions) return;
  throw new UserError(
    `a prompt of ${longest} tokens, ${newTokens} new ones and a horizon of ${horizon} do not fit the model's context of ${config.nPositions}: shorten one`,
  );
}
