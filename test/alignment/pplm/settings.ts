import type { AttributeModel } from "../../../src/alignment/pplm/index.js";
import { gaussian, GPT2, type GPT2Config } from "../../../src/model/index.js";

export const CONFIG: GPT2Config = {
  nLayer: 2,
  nHead: 2,
  nPositions: 16,
  vocabSize: 23,
  dModel: 12,
  dHead: 6,
  dMlp: 24,
  layerNormEpsilon: 1e-5,
  bosTokenId: 22,
  eosTokenId: 22,
};

/** A model with weights large enough that its tokens depend on each other. */
export function smallModel(seed = 1): GPT2 {
  const model = GPT2.random(CONFIG, seed);
  const normal = gaussian(seed + 1);
  const values = new Map(
    model.parameterNames.map((name) => {
      const { size } = model.weight(name);
      const gain = name.includes("ln_") && name.endsWith("weight") ? 1 : 0;
      return [name, Float32Array.from({ length: size }, () => gain + 0.3 * normal())];
    }),
  );
  model.dispose();
  return GPT2.fromValues(CONFIG, values);
}

/** A head of two classes, the second the target. */
export function smallHead(stream: AttributeModel["stream"] = "post-ln_f", seed = 5): AttributeModel {
  const normal = gaussian(seed);
  const weight = [0, 1].map(() => Array.from({ length: CONFIG.dModel }, () => normal()));
  return { weight, bias: [0.1, -0.2], target: 1, stream };
}

/** Contexts of unequal length. */
export const CONTEXTS = [
  [1, 4, 4, 0, 3, 9],
  [5, 2],
  [22, 3, 1, 17],
];
