import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { generate, type GPT2, type Hooks, type ProtocolName } from "../model/index.js";
import { embed } from "@alignscope/tensors/ops";
import type { Neuron } from "../toxicity/value-vectors.js";
import { checkLayer, checkPair, checkTexts, type ModelPair } from "./model-pair.js";
import { byLength } from "../model/padding.js";

export interface MeanActivationOptions {
  /** Tokens generated, so many activations are read of each prompt; 20 unless said otherwise. */
  maxNewTokens?: number;
  /**
   * What the models read after a prompt. `as-published`: both the aligned model's continuation, past its end of text if it
   * ends early (the official code overwrites the other's, docs/recipes.md#figure-2). `corrected`: each its own, to its end.
   */
  continuation?: ProtocolName;
  /** Prompts per forward pass. */
  batchSize?: number;
  onProgress?: (done: number, total: number) => void;
}

/** How strongly a model activates a neuron while it reads what follows the prompts. */
export interface MeanActivation {
  /** Over all values read. */
  mean: number;
  /** `[prompt]`, each over its own values: what an interval over prompts is resampled from. */
  perPrompt: Float64Array;
}

/** A neuron's mean activation in both models. */
export interface ActivationChange extends Neuron {
  before: MeanActivation;
  after: MeanActivation;
}

/** Activations `[prompt][step][neuron]`; a prompt has one per token that it was continued with. */
type Readings = Float32Array[][];

/**
 * Figure 2: mean activations `blocks.l.mlp.hook_post` of some neurons at the last position, over `maxNewTokens` greedy
 * steps. A step is the position that a token is chosen at: the prompt's last one, then one per new token but the last.
 *
 * The model that writes reads on the way, at the newest position of its cached pass; one that reads another's words does so
 * in a single pass.
 *
 * @param prompts token ids, one list per prompt, of any lengths; pads are masked
 * @returns one entry per neuron, in their order
 * @throws UserError on no prompts, an empty one, models of unequal shape, and neurons that the models have not
 *
 * @example
 * const [leader] = await meanActivations({ before: gpt2, after: dpo }, prompts, [{ layer: 19, neuron: 770 }]);
 * console.log(leader.before.mean, leader.after.mean);
 */
export async function meanActivations(
  models: ModelPair,
  prompts: readonly (readonly number[])[],
  neurons: readonly Neuron[],
  { maxNewTokens = 20, continuation = "corrected", batchSize = 32, onProgress }: MeanActivationOptions = {},
): Promise<ActivationChange[]> {
  checkPair(models);
  checkTexts("mean activations", prompts);
  checkNeurons(models.before, neurons);
  const readings: Record<keyof ModelPair, Readings> = { before: [], after: [] };
  const order = byLength(prompts.map(({ length }) => length));
  for (let from = 0; from < order.length; from += batchSize) {
    const members = order.slice(from, from + batchSize);
    const batch = members.map((i) => prompts[i] as readonly number[]);
    const stopAtEos = continuation === "corrected";
    const spoken = await readWhileWriting(models.after, batch, neurons, { maxNewTokens, stopAtEos });
    const other = stopAtEos
      ? (await readWhileWriting(models.before, batch, neurons, { maxNewTokens, stopAtEos })).readings
      : await readWritten(models.before, batch, spoken.continuations, neurons);
    members.forEach((i, row) => {
      readings.after[i] = spoken.readings[row] as Float32Array[];
      readings.before[i] = other[row] as Float32Array[];
    });
    onProgress?.(Math.min(from + batchSize, order.length), order.length);
  }
  return neurons.map(({ layer, neuron }, n) => ({
    layer,
    neuron,
    before: summary(readings.before, n),
    after: summary(readings.after, n),
  }));
}

function summary(readings: Readings, n: number): MeanActivation {
  let [sum, count] = [0, 0];
  const perPrompt = Float64Array.from(readings, (steps) => {
    const own = steps.reduce((total, values) => total + (values[n] as number), 0);
    sum += own;
    count += steps.length;
    return own / steps.length;
  });
  return { mean: sum / count, perPrompt };
}

function checkNeurons({ config }: GPT2, neurons: readonly Neuron[]): void {
  for (const { layer, neuron } of neurons) {
    checkLayer("mean activations", layer, config);
    if (Number.isInteger(neuron) && neuron >= 0 && neuron < config.dMlp) continue;
    throw new UserError(
      `mean activations: neuron ${neuron} of layer ${layer}, expected 0 to ${config.dMlp - 1}`,
    );
  }
}

/** Greedy continuations, and what the neurons did at the newest position of each step. */
async function readWhileWriting(
  model: GPT2,
  prompts: readonly (readonly number[])[],
  neurons: readonly Neuron[],
  { maxNewTokens, stopAtEos }: { maxNewTokens: number; stopAtEos: boolean },
): Promise<{ continuations: number[][]; readings: Readings }> {
  const steps: tf.Tensor2D[][] = []; // [step][layer], each [batch, neurons of the layer]
  const layers = layersOf(neurons);
  const hooks: Hooks = Object.fromEntries(
    layers.map((layer, k) => [
      pointOf(layer),
      (post: tf.Tensor) => {
        if (k === 0) steps.push([]);
        (steps.at(-1) as tf.Tensor2D[]).push(tf.keep(picked(post, neurons, layer, 1)));
      },
    ]),
  );
  try {
    const continuations = await generate(model, prompts, {
      maxNewTokens,
      stopAtEos,
      hooks,
      batchSize: prompts.length,
    });
    const rows: Readings = prompts.map(() => []);
    for (const [step, parts] of steps.entries()) {
      const values = await columnsOf(parts, neurons);
      values.forEach((own, row) => {
        // An ended prompt is still in the batch; the step that chose its end is its last one.
        if (step <= (continuations[row] as number[]).length) rows[row]?.push(own);
      });
    }
    return { continuations, readings: rows };
  } finally {
    tf.dispose(steps);
  }
}

/** What the neurons do while the model reads continuations of equal length that it need not have written. */
async function readWritten(
  model: GPT2,
  prompts: readonly (readonly number[])[],
  continuations: readonly (readonly number[])[],
  neurons: readonly Neuron[],
): Promise<Readings> {
  const steps = (continuations[0] as readonly number[]).length;
  const texts = prompts.map((ids, row) => [...ids, ...(continuations[row] ?? []).slice(0, -1)]);
  const layers = layersOf(neurons);
  const parts: tf.Tensor2D[] = [];
  const hooks: Hooks = Object.fromEntries(
    layers.map((layer) => [
      pointOf(layer),
      (post: tf.Tensor) => void parts.push(tf.keep(picked(post, neurons, layer, steps))),
    ]),
  );
  try {
    const batch = model.layOut(texts, { padding: "masked" });
    model.residual(batch, { hooks, stopAtLayer: (layers.at(-1) ?? -1) + 1 }).dispose();
    const rows = await columnsOf(parts, neurons); // prompt by prompt, its steps in order
    return prompts.map((_, row) => rows.slice(row * steps, (row + 1) * steps));
  } finally {
    tf.dispose(parts);
  }
}

const pointOf = (layer: number): string => `blocks.${layer}.mlp.hook_post`;

/** In the order of the forward pass, each once. */
function layersOf(neurons: readonly Neuron[]): number[] {
  return [...new Set(neurons.map(({ layer }) => layer))].sort((a, b) => a - b);
}

/** Of an activation `[batch, position, dMlp]` the last positions of a layer's neurons, `[batch·position, neurons]`. */
function picked(post: tf.Tensor, neurons: readonly Neuron[], layer: number, last: number): tf.Tensor2D {
  const [batch, length, width] = post.shape as [number, number, number];
  const own = neurons.filter((each) => each.layer === layer).map(({ neuron }) => neuron);
  return tf.tidy(() => {
    const cut = tf.slice(post, [0, length - last, 0], [batch, last, width]);
    const columns = tf.transpose<tf.Tensor2D>(tf.reshape(cut, [batch * last, width]));
    return tf.transpose<tf.Tensor2D>(embed(columns, tf.tensor1d(own, "int32")));
  });
}

/** Rows with one value per neuron, in the order of `neurons`, from the parts of the layers. */
async function columnsOf(parts: readonly tf.Tensor2D[], neurons: readonly Neuron[]): Promise<Float32Array[]> {
  const rows = parts[0]?.shape[0] ?? 0;
  const result = Array.from({ length: rows }, () => new Float32Array(neurons.length));
  for (const [k, layer] of layersOf(neurons).entries()) {
    const part = parts[k] as tf.Tensor2D;
    const data = await part.data();
    const places = neurons.flatMap((each, n) => (each.layer === layer ? [n] : []));
    result.forEach((values, row) =>
      places.forEach((n, column) => (values[n] = data[row * places.length + column] as number)),
    );
  }
  return result;
}
