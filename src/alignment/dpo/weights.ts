import { createHash } from "node:crypto";
import type { GPT2 } from "../../model/index.js";

/** One checksum of a model's weights, whatever file they came from: the sha256 of names, shapes and values in order. */
export async function weightsChecksum(model: GPT2): Promise<string> {
  const hash = createHash("sha256");
  for (const name of model.parameterNames) {
    const tensor = model.weight(name);
    const values = await tensor.data<"float32">();
    hash.update(`${name} [${tensor.shape}]\n`);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}

/** Values of some parameters, all unless named; copies. */
export async function weightsOf(
  model: GPT2,
  names: readonly string[] = model.parameterNames,
): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const name of names) values.set(name, (await model.weight(name).data<"float32">()).slice());
  return values;
}
