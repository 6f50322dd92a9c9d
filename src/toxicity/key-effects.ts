import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { gradientsOf, type ForwardOptions, type GPT2, type Hooks } from "../model/index.js";
import { gelu } from "@alignscope/tensors/ops";
import { allNeurons, type Neuron } from "./value-vectors.js";

/** What a model said after a prompt before it was aligned, and what it says since: token ids. */
export interface ChangedContinuation {
  prompt: readonly number[];
  before: readonly number[];
  after: readonly number[];
}

export interface KeyEffectOptions {
  /** What the keys are multiplied by. */
  factor: number;
  /** Texts per pass. */
  batchSize?: number;
  onProgress?: (done: number, total: number) => void;
}

/**
 * What scaling each single key vector would do to the odds of the continuations from before the alignment, estimated with
 * one backward pass for all neurons: the change of the neuron's activation is exact, what follows from it is linear
 * (attribution patching). Per neuron, layer after layer:
 *
 *     effect_i = mean over prompts of Σ_t ∂(log p(before) − log p(after)) / ∂m_i(t) · Δm_i(t),
 *     Δm_i(t) = gelu(factor · k_i·x(t) + b_i) − gelu(k_i·x(t) + b_i)
 *
 * Positive ones make the earlier continuation likelier again. A factor of 1 has no effect.
 *
 * @returns [nLayer · dMlp], in nats per prompt
 * @example const effects = await keyEffects(policy, changed, { factor: 10 });
 * @throws UserError without continuations, or where a prompt or both continuations have no token
 */
export async function keyEffects(
  model: GPT2,
  changed: readonly ChangedContinuation[],
  { factor, batchSize = 16, onProgress }: KeyEffectOptions,
): Promise<Float64Array> {
  if (changed.length === 0) throw new UserError("key effects: got no continuations, expected at least one");
  const texts = changed.flatMap(({ prompt, before, after }, i) => {
    if (prompt.length === 0 || before.length + after.length === 0) {
      throw new UserError(`key effects: prompt ${i} or what follows it has no token; leave it out`);
    }
    return [
      { ids: [...prompt, ...before], prompt: prompt.length, weight: 1 / changed.length },
      { ids: [...prompt, ...after], prompt: prompt.length, weight: -1 / changed.length },
    ].filter(({ ids }) => ids.length > prompt.length);
  });
  const { nLayer, dMlp } = model.config;
  const result = new Float64Array(nLayer * dMlp);
  for (let from = 0; from < texts.length; from += batchSize) {
    const batch = texts.slice(from, from + batchSize);
    const weights = tf.tensor2d(weightsOf(batch));
    const pre = new Map<string, tf.Tensor>();
    let perLayer: tf.Tensor[] = [];
    try {
      const gradients = await gradientsOf(
        model,
        (options: ForwardOptions) =>
          tf.sum(
            tf.mul(
              model.tokenLogProbs(
                batch.map(({ ids }) => ids),
                options,
              ),
              weights,
            ),
          ),
        { activations: layers(model).map(postOf), padding: "masked", hooks: keepingPre(model, pre) },
      );
      try {
        perLayer = layers(model).map((layer) =>
          tf.tidy(() => {
            const by = gradients.activations.get(postOf(layer)) as tf.Tensor3D;
            return tf.sum(
              tf.mul(by, activationChange(model, layer, pre.get(preOf(layer)) as tf.Tensor3D, factor)),
              [0, 1],
            );
          }),
        );
      } finally {
        gradients.dispose();
      }
      await addUp(perLayer, result);
    } finally {
      tf.dispose([weights, ...perLayer, ...pre.values()]);
    }
    onProgress?.(Math.min(from + batchSize, texts.length), texts.length);
  }
  return result;
}

/**
 * How much scaling each single key vector disturbs an ordinary text: the length of what it adds to the residual stream,
 * √(mean over positions of Δm_i²) · ‖v_i‖, with Δm_i as for {@link keyEffects}. Per neuron, layer after layer.
 *
 * @param sequences token ids of equal length
 * @returns [nLayer · dMlp]
 * @throws UserError without sequences, or when they differ in length
 */
export async function keyDisturbance(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  { factor, batchSize = 16, onProgress }: KeyEffectOptions,
): Promise<Float64Array> {
  const length = sequences[0]?.length ?? 0;
  if (length === 0 || sequences.some((ids) => ids.length !== length)) {
    throw new UserError(
      "key disturbance: got no tokens or sequences of several lengths, expected equal ones",
    );
  }
  const { nLayer, dMlp } = model.config;
  const squares = new Float64Array(nLayer * dMlp);
  for (let from = 0; from < sequences.length; from += batchSize) {
    const { residual, cache } = model.runWithCache(sequences.slice(from, from + batchSize), {
      names: layers(model).map(preOf),
      stopAtLayer: nLayer,
    });
    residual.dispose();
    let perLayer: tf.Tensor[] = [];
    try {
      perLayer = layers(model).map((layer) =>
        tf.tidy(() =>
          tf.sum(tf.square(activationChange(model, layer, cache.at(preOf(layer)), factor)), [0, 1]),
        ),
      );
      await addUp(perLayer, squares);
    } finally {
      tf.dispose(perLayer);
      cache.dispose();
    }
    onProgress?.(Math.min(from + batchSize, sequences.length), sequences.length);
  }
  const norms = tf.tidy(() =>
    tf.concat(layers(model).map((layer) => tf.norm(model.weight(`h.${layer}.mlp.c_proj.weight`), 2, 1))),
  );
  const lengths = await norms.data();
  norms.dispose();
  return squares.map((sum, i) => Math.sqrt(sum / (sequences.length * length)) * (lengths[i] as number));
}

/**
 * Effect for its price: each key's effect divided by its disturbance. So that keys that hardly move anything do not lead
 * by a division by almost nothing, no divisor is smaller than the disturbance that a tenth of the keys stay below.
 *
 * @param effects of {@link keyEffects}
 * @param disturbances of {@link keyDisturbance}, at the same factor
 */
export function effectPerDisturbance(effects: Float64Array, disturbances: Float64Array): Float64Array {
  if (effects.length !== disturbances.length) {
    throw new RangeError(
      `effectPerDisturbance: got ${effects.length} effects and ${disturbances.length} disturbances, expected as many`,
    );
  }
  const floor = Float64Array.from(disturbances).sort()[Math.floor(disturbances.length / 10)] ?? 0;
  return effects.map((effect, i) => (effect === 0 ? 0 : effect / Math.max(disturbances[i] as number, floor)));
}

/** A neuron and what it was ranked by. */
export interface ScoredKey extends Neuron {
  score: number;
}

/**
 * Neurons by a score each, highest first; equal ones in the order of layers and neurons.
 *
 * @param scores [nLayer · dMlp], layer after layer
 */
export function rankKeys(
  model: Pick<GPT2, "config">,
  scores: ArrayLike<number>,
  top = Infinity,
): ScoredKey[] {
  const neurons = allNeurons(model);
  if (scores.length !== neurons.length) {
    throw new RangeError(`rankKeys: got ${scores.length} scores, expected ${neurons.length} (nLayer · dMlp)`);
  }
  return neurons
    .map((neuron, i) => ({ ...neuron, score: scores[i] as number }))
    .sort((a, b) => b.score - a.score)
    .slice(0, top);
}

/** [batch, position, dMlp]: how the activations change when every key is multiplied by `factor`; biases stay. */
function activationChange(model: GPT2, layer: number, pre: tf.Tensor3D, factor: number): tf.Tensor3D {
  const bias = model.weight(`h.${layer}.mlp.c_fc.bias`);
  const scaled: tf.Tensor3D = tf.add(tf.mul(pre, factor), tf.mul(bias, 1 - factor));
  return tf.sub(gelu(scaled), gelu(pre));
}

/** [text, position − 1]: the weight of each token's log-probability, pads on the left; a prompt's own tokens have none. */
function weightsOf(texts: readonly { ids: readonly number[]; prompt: number; weight: number }[]): number[][] {
  const width = Math.max(...texts.map(({ ids }) => ids.length));
  return texts.map(({ ids, prompt, weight }) =>
    Array.from({ length: width - 1 }, (_, i) => (i + 1 - (width - ids.length) >= prompt ? weight : 0)),
  );
}

function keepingPre(model: GPT2, kept: Map<string, tf.Tensor>): Hooks {
  return Object.fromEntries(
    layers(model).map((layer) => [
      preOf(layer),
      (activation: tf.Tensor) => void kept.set(preOf(layer), tf.keep(tf.clone(activation))),
    ]),
  );
}

async function addUp(perLayer: readonly tf.Tensor[], sums: Float64Array): Promise<void> {
  let place = 0;
  for (const tensor of perLayer) {
    for (const value of await tensor.data()) sums[place] = (sums[place++] as number) + value;
  }
}

function layers({ config }: GPT2): number[] {
  return Array.from({ length: config.nLayer }, (_, layer) => layer);
}

function preOf(layer: number): string {
  return `blocks.${layer}.mlp.hook_pre`;
}

function postOf(layer: number): string {
  return `blocks.${layer}.mlp.hook_post`;
}
