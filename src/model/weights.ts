import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import type { GPT2Config } from "./config.js";
import { parameterShapes, type Parameters } from "./parameters.js";
import { listTensors, readTensor, readTensorInto, type TensorEntry } from "@alignscope/tensors/safetensors";
import { filledTensor } from "@alignscope/tensors/tensor-memory";

/** Buffers that some exports carry along: the causal mask and the constant behind it. */
const MASK_BUFFER = /\.attn\.(masked_)?bias$/;

/**
 * Loads a model folder's parameters, tensor by tensor, onto the current backend. Names may carry the prefix
 * `transformer.`; attention-mask buffers are ignored; an explicit `lm_head.weight` is kept where it differs from
 * `wte.weight`. A missing tensor, one of another shape, or one that holds NaN or an infinity is an error that names it.
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
  if (entries.has("lm_head.bias")) expected.set("lm_head.bias", [config.vocabSize]);
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
  if (head && sameValues(head, entries.get("wte.weight") as TensorEntry)) expected.delete("lm_head.weight");
  const parameters: Parameters = new Map();
  try {
    for (const [name, shape] of expected) {
      const entry = entries.get(name) as TensorEntry;
      const tensor = filledTensor(shape, (values) => {
        readTensorInto(entry, values);
        checkFinite(values, name, entry.file);
      });
      parameters.set(name, tf.keep(tensor));
    }
  } catch (error) {
    tf.dispose([...parameters.values()]);
    throw error;
  }
  return parameters;
}

function sameValues(a: TensorEntry, b: TensorEntry): boolean {
  const other = readTensor(b);
  return readTensor(a).every((value, i) => value === other[i]);
}

/** One bad weight makes every output NaN: it is named here, where it can still be told from the others. */
function checkFinite(data: Float32Array, name: string, file: string): void {
  // A product with zero is zero unless the value is NaN or infinite, and the loop has no branch.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * 0;
  if (sum === 0) return;
  const at = data.findIndex((value) => !Number.isFinite(value));
  throw new UserError(
    `${file}: tensor ${name} holds ${data[at]} at index ${at}, expected finite numbers: fetch the model again, or export it anew`,
  );
}
