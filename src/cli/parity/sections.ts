import * as tf from "@tensorflow/tfjs-core";
import { perplexity } from "../../metrics/perplexity.js";
import { GPT2, generate, logitLens, lossGradients, nextTokenLoss, type Padding } from "../../model/index.js";
import { svd } from "@alignscope/tensors/linalg";
import { subtractDirection } from "../../toxicity/interventions.js";
import { unalign } from "../../toxicity/unalign.js";
import { rankValueVectors, readValueVectors } from "../../toxicity/value-vectors.js";
import { signedTowards, unit } from "@alignscope/tensors/vectors";
import { largest, projectToVocabulary } from "../../toxicity/vocabulary.js";
import { checkDpo } from "./dpo.js";
import { check, exact, maxError, type Check } from "./check.js";
import type { Golden, TensorSummary } from "./golden.js";
import { checkPplm } from "./pplm.js";

/** Value vectors are read as they are stored, and compared, normalised and decomposed in float64: no digit is lost. */
const FLOAT64_TOLERANCE = 1e-8;

/** Of a gradient, relative to its norm: small entries are sums of large ones. */
const GRADIENT_TOLERANCE = 1e-3;

type Section = (model: GPT2, golden: Golden, folder: string) => Promise<Check[]>;

/** The sections by their name in golden.json; one that a file does not hold is left out. */
export const SECTIONS: Record<string, Section> = {
  forward: checkForward,
  gradients: checkGradients,
  padding: checkPadding,
  intervention: checkIntervention,
  perplexity: checkPerplexity,
  logit_lens: checkLogitLens,
  value_vectors: checkValueVectors,
  unalign: checkUnalign,
  dpo: checkDpo,
  pplm: checkPplm,
};

async function checkForward(model: GPT2, { forward }: Golden): Promise<Check[]> {
  if (!forward) return [];
  const names = Object.keys(forward.hooks);
  const { logits, cache } = model.runWithCache(forward.ids, { names });
  const last = tf.tidy(() => lastLogProbs(logits));
  const checks = [
    check("log-probabilities", maxError(await last.array(), forward.log_probs_last)),
    check("loss", Math.abs((await lossOf(logits, forward.ids)) - forward.loss)),
    check("logits", await summaryError(logits, forward.logits)),
  ];
  for (const name of names) {
    checks.push(
      check(name, await summaryError(cache.get(name) as tf.Tensor, forward.hooks[name] as TensorSummary)),
    );
  }
  tf.dispose([logits, last, ...cache.values()]);
  return checks;
}

async function checkGradients(model: GPT2, { gradients, forward }: Golden): Promise<Check[]> {
  if (!gradients || !forward) return [];
  const { loss, gradients: measured } = await lossGradients(model, forward.ids);
  const checks = [check("loss", Math.abs(loss - gradients.loss))];
  for (const [name, golden] of Object.entries(gradients.grads)) {
    const gradient = measured.get(name);
    const error = gradient ? await relativeError(gradient, golden) : Infinity;
    checks.push({ name, error, tolerance: GRADIENT_TOLERANCE });
  }
  tf.dispose([...measured.values()]);
  return checks;
}

async function checkPadding(model: GPT2, { padding }: Golden): Promise<Check[]> {
  if (!padding) return [];
  const checks: Check[] = [];
  const expected = {
    masked: [padding.masked_log_probs_last, padding.greedy10_masked],
    "as-published": [padding.as_published_log_probs_last, padding.greedy10_as_published],
  } as const;
  for (const protocol of Object.keys(expected) as Padding[]) {
    const [logProbs, greedy] = expected[protocol];
    const last = tf.tidy(() => lastLogProbs(model.forward(padding.sequences, { padding: protocol })));
    checks.push(check(`${protocol}: log-probabilities`, maxError(await last.array(), logProbs)));
    last.dispose();
    const tokens = await generate(model, padding.sequences, { ...greedyLike(greedy), padding: protocol });
    checks.push(exact(`${protocol}: greedy tokens`, tokens, greedy));
  }
  return checks;
}

async function checkIntervention(model: GPT2, { intervention, padding, forward }: Golden): Promise<Check[]> {
  if (!intervention) return [];
  const [vector] = await readValueVectors(model, [intervention]);
  if (!vector) throw new Error("intervention: no such value vector");
  const checks: Check[] = [];
  const hooks = subtractDirection(model, vector, intervention.scale);
  if (padding) {
    const expected = intervention.greedy10_masked_last_position;
    const tokens = await generate(model, padding.sequences, {
      ...greedyLike(expected),
      padding: "masked",
      hooks,
    });
    checks.push(exact("greedy tokens, last position", tokens, expected));
  }
  if (forward) {
    const logits = model.forward(forward.ids, { hooks });
    const loss = await lossOf(logits, forward.ids);
    logits.dispose();
    checks.push(check("loss, all positions", Math.abs(loss - intervention.all_positions_loss)));
  }
  return checks;
}

async function checkPerplexity(model: GPT2, golden: Golden): Promise<Check[]> {
  if (!golden.perplexity) return [];
  const { ids, window, ppl } = golden.perplexity;
  // Compared as a mean loss: the tolerance then means the same whatever the perplexity's size.
  const measured = await perplexity(model, ids, { window, protocol: "as-published" });
  return [check("log-perplexity", Math.abs(Math.log(measured) - Math.log(ppl)))];
}

async function checkLogitLens(model: GPT2, { logit_lens: lens, forward }: Golden): Promise<Check[]> {
  if (!lens || !forward) return [];
  const checks: Check[] = [];
  for (const [normalisation, expected] of [
    ["as-published", lens.prob_final_scale_no_bias],
    ["own-layer-norm", lens.prob_own_layer_norm],
  ] as const) {
    const { rows, probabilities } = await logitLens(model, forward.ids, lens.token, { normalisation });
    checks.push(exact(`${normalisation}: rows`, rows, lens.rows));
    checks.push(check(`${normalisation}: probabilities`, maxError(probabilities, expected)));
  }
  return checks;
}

async function checkValueVectors(model: GPT2, { value_vectors: golden }: Golden): Promise<Check[]> {
  if (!golden) return [];
  const ranked = await rankValueVectors(model, golden.probe, { top: golden.top24.length });
  const { singularValues, rightVectors } = svd((await readValueVectors(model, ranked)).map(unit));
  const first = golden.svd_u_first3_sign_fixed_to_probe;
  const [best] = await projectToVocabulary(model, await readValueVectors(model, ranked.slice(0, 1)));
  return [
    exact("order", ranked.map(place), golden.top24.map(place)),
    check(
      "cosines",
      maxError([ranked.map((r) => r.cosine)], [golden.top24.map((r) => r.cosine)]),
      FLOAT64_TOLERANCE,
    ),
    check("singular values", maxError([[...singularValues]], [golden.singular_values]), FLOAT64_TOLERANCE),
    check(
      "singular vectors",
      maxError(
        rightVectors.slice(0, first.length).map((u) => [...signedTowards(u, golden.probe)]),
        first,
      ),
      FLOAT64_TOLERANCE,
    ),
    exact("top tokens", largest(best ?? [], golden.top_tokens_of_rank0.length), golden.top_tokens_of_rank0),
  ];
}

async function checkUnalign(
  model: GPT2,
  { unalign: golden, value_vectors: vectors, forward }: Golden,
): Promise<Check[]> {
  if (!golden || !vectors || !forward) return [];
  const keys = await rankValueVectors(model, vectors.probe, { top: golden.keys });
  const unaligned = await unalign(model, keys, golden.scale);
  const logits = unaligned.forward(forward.ids);
  const loss = await lossOf(logits, forward.ids);
  logits.dispose();
  unaligned.dispose();
  return [check("loss", Math.abs(loss - golden.loss))];
}

function place({ layer, neuron }: { layer: number; neuron: number }): string {
  return `${layer}:${neuron}`;
}

function greedyLike(expected: number[][]): { maxNewTokens: number; stopAtEos: false } {
  return { maxNewTokens: expected[0]?.length ?? 0, stopAtEos: false };
}

/** Log-probabilities of the token after the last position, `[batch, vocab]`. */
function lastLogProbs(logits: tf.Tensor3D): tf.Tensor2D {
  const last = tf.squeeze(tf.slice(logits, [0, logits.shape[1] - 1, 0], [-1, 1, -1]), [1]);
  return tf.logSoftmax(last as tf.Tensor2D);
}

async function lossOf(logits: tf.Tensor3D, ids: number[][]): Promise<number> {
  const loss = tf.tidy(() => nextTokenLoss(logits, ids));
  const [value = Number.NaN] = await loss.data();
  loss.dispose();
  return value;
}

/** The largest difference in any statistic, relative to the size of the tensor's values where that exceeds 1. */
async function summaryError(tensor: tf.Tensor, golden: TensorSummary): Promise<number> {
  if (tensor.shape.join() !== golden.shape.join()) return Infinity;
  const values = await tensor.data();
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const largestValue = Math.max(1, ...golden.first8.map(Math.abs), ...golden.last8.map(Math.abs));
  return Math.max(
    maxError([[...values.slice(0, golden.first8.length)]], [golden.first8]) / largestValue,
    maxError([[...values.slice(-golden.last8.length)]], [golden.last8]) / largestValue,
    Math.abs(Math.sqrt(squares) - golden.norm) / Math.max(1, golden.norm),
    // A sum of values of both signs cancels: what it may be off by grows with the norm.
    Math.abs(sum - golden.sum) / Math.max(1, golden.norm, Math.abs(golden.sum)),
  );
}

/** The distance of the values a summary gives, and of the norm, relative to the norm. */
async function relativeError(tensor: tf.Tensor, golden: TensorSummary): Promise<number> {
  if (tensor.shape.join() !== golden.shape.join()) return Infinity;
  const values = await tensor.data();
  let squares = 0;
  for (const value of values) squares += value * value;
  const worst = Math.max(
    maxError([[...values.slice(0, golden.first8.length)]], [golden.first8]),
    maxError([[...values.slice(-golden.last8.length)]], [golden.last8]),
    Math.abs(Math.sqrt(squares) - golden.norm),
  );
  return worst / golden.norm;
}
