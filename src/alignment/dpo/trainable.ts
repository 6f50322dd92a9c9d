import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { suggestion } from "@alignscope/base/nearest";
import type { GPT2 } from "../../model/index.js";
import { hasNeuron, nameOf, type Neuron } from "../../toxicity/value-vectors.js";

/**
 * Which entries of a model are trained; the others stay as they are, bit by bit.
 *
 * - `"all"` parameters, all `"biases"` (those of layer norms among them), all `"value vectors"` (the rows of every
 *   h.*.mlp.c_proj.weight) or all `"key vectors"` (the columns of every h.*.mlp.c_fc.weight)
 * - or an object; what its parts name is put together.
 *
 * @example
 * { layers: [18, 19], names: ["h.*.mlp.*"] } // the MLPs of two layers
 * { valueVectors: [{ layer: 19, neuron: 770 }], keyVectors: [{ layer: 19, neuron: 770 }], keyBiases: true }
 */
export type Trainable = "all" | "biases" | "value vectors" | "key vectors" | TrainableParts;

/** Parts of a model to train. */
export interface TrainableParts {
  /** Blocks, counted from 0: of them all parameters, or those that `names` matches. */
  layers?: readonly number[];
  /** Names of parameters; `*` stands for any characters. With `layers`, of these layers only. */
  names?: readonly string[];
  /** Neurons whose value vector, a row of c_proj.weight, is trained. */
  valueVectors?: readonly Neuron[];
  /** Neurons whose key vector, a column of c_fc.weight, is trained. */
  keyVectors?: readonly Neuron[];
  /** Whether the bias of each of `keyVectors`, an entry of c_fc.bias, is trained with it; false unless given. */
  keyBiases?: boolean;
}

/** By name, the parameters that are trained, in the model's order; a mask of ones and zeros where only entries are. */
export type TrainedParameters = Map<string, EntryMask | null>;

/** Which rows, columns or entries of a parameter are trained, so that it broadcasts: `[rows, 1]`, `[1, columns]` or `[n]`. */
export interface EntryMask {
  shape: number[];
  /** Ones and zeros. */
  values: Float32Array;
}

const SETS: Record<Exclude<Trainable, TrainableParts>, string> = {
  all: "*",
  biases: "*.bias",
  "value vectors": "h.*.mlp.c_proj.weight",
  "key vectors": "h.*.mlp.c_fc.weight",
};

/** Which parameters and entries of a model are meant; what names nothing of the model is refused. */
export function trainedParameters(model: GPT2, trainable: Trainable = "all"): TrainedParameters {
  const parts = typeof trainable === "string" ? setOf(trainable) : trainable;
  const trained: TrainedParameters = new Map();
  const whole = wholeParameters(model, parts);
  const entries = entryMasks(model, parts);
  for (const name of model.parameterNames) {
    if (whole.has(name)) trained.set(name, null);
    else if (entries.has(name)) trained.set(name, entries.get(name) as EntryMask);
  }
  if (trained.size === 0) {
    throw new UserError(
      `DPO: trainable ${JSON.stringify(trainable)} names no parameter: say "all", "biases", "value vectors", "key vectors", or layers, names, valueVectors or keyVectors`,
    );
  }
  return trained;
}

/** How many numbers are trained. */
export function trainedEntries(model: GPT2, trained: TrainedParameters): number {
  let count = 0;
  for (const [name, mask] of trained) {
    const { size } = model.weight(name);
    count += mask ? (size / mask.values.length) * mask.values.reduce((sum, one) => sum + one, 0) : size;
  }
  return count;
}

/** Masks as tensors, by name; the caller's to dispose of. */
export function maskTensors(trained: TrainedParameters): Map<string, tf.Tensor> {
  const masks = new Map<string, tf.Tensor>();
  for (const [name, mask] of trained) if (mask) masks.set(name, tf.tensor(mask.values, mask.shape));
  return masks;
}

function setOf(name: Exclude<Trainable, TrainableParts>): TrainableParts {
  const pattern = SETS[name] as string | undefined;
  if (pattern === undefined) {
    throw new UserError(
      `DPO: unknown set of parameters to train: ${name} (${suggestion(name, Object.keys(SETS))})`,
    );
  }
  return { names: [pattern] };
}

function wholeParameters(model: GPT2, { layers, names }: TrainableParts): Set<string> {
  if (!layers && !names) return new Set();
  const { nLayer } = model.config;
  const wrong = layers?.find((layer) => !Number.isInteger(layer) || layer < 0 || layer >= nLayer);
  if (wrong !== undefined) {
    throw new UserError(`DPO: no layer ${wrong} to train: expected 0 to ${nLayer - 1}`);
  }
  const own = model.parameterNames.filter(
    (name) => !layers || layers.some((layer) => name.startsWith(`h.${layer}.`)),
  );
  if (!names) return new Set(own);
  const matched = names.flatMap((pattern) => {
    const found = own.filter((name) => matches(name, pattern));
    if (found.length > 0) return found;
    throw new UserError(`DPO: no parameter to train is called ${pattern} (${suggestion(pattern, own)})`);
  });
  return new Set(matched);
}

function matches(name: string, pattern: string): boolean {
  const literal = pattern.split("*").map((part) => part.replace(/[.\\+?^${}()|[\]]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`).test(name);
}

function entryMasks(
  model: GPT2,
  { valueVectors = [], keyVectors = [], keyBiases = false }: TrainableParts,
): Map<string, EntryMask> {
  const { dMlp, nLayer } = model.config;
  const masks = new Map<string, EntryMask>();
  const mark = (neurons: readonly Neuron[], parameter: string, shape: number[]): void => {
    for (const { layer, neuron } of neurons) {
      if (!hasNeuron(model.config, { layer, neuron })) {
        throw new UserError(
          `DPO: no neuron ${nameOf({ layer, neuron })} to train: the model has ${nLayer} layers of ${dMlp}`,
        );
      }
      const name = `h.${layer}.mlp.${parameter}`;
      const mask = masks.get(name) ?? { shape, values: new Float32Array(dMlp) };
      mask.values[neuron] = 1;
      masks.set(name, mask);
    }
  };
  mark(valueVectors, "c_proj.weight", [dMlp, 1]);
  mark(keyVectors, "c_fc.weight", [1, dMlp]);
  if (keyBiases) mark(keyVectors, "c_fc.bias", [dMlp]);
  return masks;
}
