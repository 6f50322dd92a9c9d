import type { GPT2Config } from "../../src/model/index.js";
import { listTensors, readTensor } from "../../src/tensors/safetensors.js";

/** Parameter values row by row, by Hugging Face's names without `transformer.`; weights of Conv1D are `[in, out]`. */
export type Weights = Map<string, Float64Array>;

/** The float32 weights of a folder in Hugging Face's layout, in float64. */
export function readWeights(folder: string): Weights {
  return new Map(
    [...listTensors(folder)].map(([name, entry]) => [
      name.replace(/^transformer\./, ""),
      Float64Array.from(readTensor(entry)),
    ]),
  );
}

/** Weights of any shape, each number drawn from `next`; layer norms lie around 1. */
export function randomWeights(config: GPT2Config, next: () => number): Weights {
  const { dModel, dMlp } = config;
  const sizes: [string, number][] = [
    ["wte.weight", config.vocabSize * dModel],
    ["wpe.weight", config.nPositions * dModel],
    ["ln_f.weight", dModel],
    ["ln_f.bias", dModel],
  ];
  for (let layer = 0; layer < config.nLayer; layer += 1) {
    const linear = (name: string, rows: number, columns: number): void => {
      sizes.push([`h.${layer}.${name}.weight`, rows * columns], [`h.${layer}.${name}.bias`, columns]);
    };
    linear("ln_1", 1, dModel);
    linear("attn.c_attn", dModel, 3 * dModel);
    linear("attn.c_proj", dModel, dModel);
    linear("ln_2", 1, dModel);
    linear("mlp.c_fc", dModel, dMlp);
    linear("mlp.c_proj", dMlp, dModel);
  }
  return new Map(
    sizes.map(([name, size]) => [
      name,
      Float64Array.from({ length: size }, () => (/ln_\w+\.weight$/.test(name) ? 1 : 0) + next()),
    ]),
  );
}
