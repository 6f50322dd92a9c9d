import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../data/errors";
import type { GPT2Config } from "./config";
import { parameterShapes, type Parameters } from "./parameters";
import { listTensors, readTensor, type TensorEntry } from "./safetensors";

/** Buffers that some exports carry along: the causal mask and the constant behind it. */
const MASK_BUFFER = /\.attn\.(masked_)?bias$/;

/**
 * Loads a model folder's parameters, tensor by tensor, onto the current backend. Names may carry the prefix
 * `transformer.`; attention-mask buffers are ignored; an explicit `lm_head.weight` is kept where it differs from
 * `wte.weight`. A missing tensor or one of another shape is an error that names it.
 */
export function loadParameters(folder: string, config: GPT2Config): Parameters {
  const entries = new Map<string, TensorEntry>();
  for (const [name, entry] of listTensors(folder)) {
    const bare = name.replace(/^transformer\./, "");
    if (!MASK_BUFFER.test(bare)) entries.set(bare, entry);
  }
  const expected = parameterShapes(config);
  const head = entries.get("lm_head.weight");
  if (head) expected.set("lm_head.weight", [config.vocabSize, config.dModel]);
  for (const [name, shape] of expected) {
    const entry = entries.get(name);
    if (!entry)
      throw new UserError(
        `${folder}: tensor ${name} is missing, expected [${shape}] (is config.json of this model?)`,
      );
    if (entry.shape.join() !== shape.join()) {
      throw new UserError(
        `${entry.file}: tensor ${name} is [${entry.shape}], expected [${shape}] from config.json`,
      );
    }
  }
  const parameters: Parameters = new Map();
  for (const [name, shape] of expected) {
    const data = readTensor(entries.get(name) as TensorEntry);
    if (name === "lm_head.weight" && sameAs(parameters.get("wte.weight"), data)) continue;
    parameters.set(name, tf.keep(tf.tensor(data, shape)));
  }
  return parameters;
}

function sameAs(tensor: tf.Tensor | undefined, data: Float32Array): boolean {
  const own = tensor?.dataSync();
  return own !== undefined && own.length === data.length && data.every((value, i) => value === own[i]);
}
