import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { suggestion } from "@alignscope/base/nearest";
import { gaussian } from "@alignscope/base/random";
import { filledTensor } from "@alignscope/tensors/tensor-memory";
import type { GPT2Config } from "./config.js";

/**
 * The parameters of a GPT-2 by Hugging Face's names without the `transformer.` prefix, e.g. `wte.weight`
 * `[vocab, dModel]`, `h.3.mlp.c_fc.weight` `[dModel, dMlp]` (column i is key vector i), `h.3.mlp.c_proj.weight`
 * `[dMlp, dModel]` (row i is value vector i). `lm_head.weight` is there only where it is not tied to `wte.weight`.
 */
export type Parameters = Map<string, tf.Tensor>;

/** Name and shape of every parameter, in the order of the forward pass. */
export function parameterShapes(config: GPT2Config): Map<string, number[]> {
  const { dModel, dMlp } = config;
  const shapes = new Map<string, number[]>([
    ["wte.weight", [config.vocabSize, dModel]],
    ["wpe.weight", [config.nPositions, dModel]],
  ]);
  const norm = (name: string): void => {
    shapes.set(`${name}.weight`, [dModel]).set(`${name}.bias`, [dModel]);
  };
  const projection = (name: string, rows: number, columns: number): void => {
    shapes.set(`${name}.weight`, [rows, columns]).set(`${name}.bias`, [columns]);
  };
  for (let layer = 0; layer < config.nLayer; layer++) {
    norm(`h.${layer}.ln_1`);
    projection(`h.${layer}.attn.c_attn`, dModel, 3 * dModel);
    projection(`h.${layer}.attn.c_proj`, dModel, dModel);
    norm(`h.${layer}.ln_2`);
    projection(`h.${layer}.mlp.c_fc`, dModel, dMlp);
    projection(`h.${layer}.mlp.c_proj`, dMlp, dModel);
  }
  norm("ln_f");
  return shapes;
}

/**
 * Fresh parameters as GPT-2 starts from: normal with deviation 0.02, the projections into the residual stream scaled by
 * 1/√(2·layers), layer norms 1 and 0, biases 0.
 */
export function initialValues(config: GPT2Config, seed: number): Map<string, Float32Array> {
  const fill = initialiser(config, seed);
  const values = new Map<string, Float32Array>();
  for (const [name, shape] of parameterShapes(config)) {
    const data = new Float32Array(tf.util.sizeFromShape(shape));
    fill(name, data);
    values.set(name, data);
  }
  return values;
}

/** Writes one parameter after the other, in their order, as {@link initialValues} has them. */
function initialiser(config: GPT2Config, seed: number): (name: string, data: Float32Array) => void {
  const normal = gaussian(seed);
  return (name, data) => {
    data.fill(name.includes("ln_") && name.endsWith("weight") ? 1 : 0);
    if (name.includes("ln_") || !name.endsWith("weight")) return;
    const deviation = name.endsWith("c_proj.weight") ? 0.02 / Math.sqrt(2 * config.nLayer) : 0.02;
    for (let i = 0; i < data.length; i++) data[i] = deviation * normal();
  };
}

/** Parameters as {@link initialValues} has them, each written straight to its place on the current backend. */
export function randomParameters(config: GPT2Config, seed: number): Parameters {
  const fill = initialiser(config, seed);
  const parameters: Parameters = new Map();
  for (const [name, shape] of parameterShapes(config)) {
    parameters.set(name, tf.keep(filledTensor(shape, (data) => fill(name, data))));
  }
  return parameters;
}

/** Parameters of the given values, which have to be complete, of the right sizes, and finite. */
export function parametersOf(config: GPT2Config, values: ReadonlyMap<string, Float32Array>): Parameters {
  const shapes = parameterShapes(config);
  if (values.has("lm_head.weight")) shapes.set("lm_head.weight", [config.vocabSize, config.dModel]);
  if (values.has("lm_head.bias")) shapes.set("lm_head.bias", [config.vocabSize]);
  for (const [name, shape] of shapes) checkValues(name, shape, values.get(name));
  for (const name of values.keys()) {
    if (!shapes.has(name)) {
      throw new UserError(`unknown parameter: ${name} (${suggestion(name, [...shapes.keys()])})`);
    }
  }
  const parameters: Parameters = new Map();
  for (const [name, shape] of shapes) {
    parameters.set(name, tf.keep(tf.tensor(values.get(name) as Float32Array, shape)));
  }
  return parameters;
}

function checkValues(name: string, shape: number[], data: Float32Array | undefined): void {
  if (!data) throw new UserError(`parameter ${name} is missing, expected [${shape}]`);
  if (data.length !== tf.util.sizeFromShape(shape)) {
    throw new UserError(`parameter ${name} has ${data.length} values, expected [${shape}]`);
  }
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at >= 0)
    throw new UserError(`parameter ${name} holds ${data[at]} at index ${at}, expected finite numbers`);
}
