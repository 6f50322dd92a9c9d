import * as tf from "@tensorflow/tfjs-core";
import { mulberry32 } from "@alignscope/base/random";
import type { GPT2Config } from "../../model/index.js";

/** The shapes that can be timed, with random weights: speed does not depend on their values. */
export const SHAPES = {
  lab: { nLayer: 6, nHead: 6, nPositions: 128, vocabSize: 4096, dModel: 192 },
  lab12: { nLayer: 12, nHead: 6, nPositions: 128, vocabSize: 4096, dModel: 192 },
  gpt2: { nLayer: 12, nHead: 12, nPositions: 1024, vocabSize: 50257, dModel: 768 },
  "gpt2-medium": { nLayer: 24, nHead: 16, nPositions: 1024, vocabSize: 50257, dModel: 1024 },
} as const;
export type ShapeName = keyof typeof SHAPES;

/** The configuration of a model of that shape. */
export function configOf(name: ShapeName): GPT2Config {
  const shape = SHAPES[name];
  const eos = shape.vocabSize - 1;
  return {
    ...shape,
    dHead: shape.dModel / shape.nHead,
    dMlp: 4 * shape.dModel,
    layerNormEpsilon: 1e-5,
    bosTokenId: eos,
    eosTokenId: eos,
  };
}

/** Token ids `[batch, length]` as good as any, the same in every run. */
export function randomIds(
  config: GPT2Config,
  batch: number,
  length: number,
  random: () => number,
): number[][] {
  return Array.from({ length: batch }, () =>
    Array.from({ length }, () => Math.floor(random() * config.vocabSize)),
  );
}

/** Numbers in [-1, 1), quickly made: a tensor of these dimensions for timing. */
export function noise(dims: number[]): tf.Tensor {
  const random = mulberry32(4);
  const values = Float32Array.from({ length: tf.util.sizeFromShape(dims) }, () => 2 * random() - 1);
  return tf.tensor(values, dims);
}
