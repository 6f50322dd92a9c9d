import { UserError } from "@alignscope/base/errors";
import { gaussian, mulberry32 } from "@alignscope/base/random";
import type { GPT2 } from "../model/index.js";
import { neuronAt, type Neuron } from "./value-vectors.js";

/** `count` vectors of independent standard normal numbers. */
export function gaussianVectors(count: number, dModel: number, seed: number): Float64Array[] {
  const normal = gaussian(seed);
  return Array.from({ length: count }, () => Float64Array.from({ length: dModel }, normal));
}

/** `count` different neurons of all layers, drawn evenly; the same for the same seed. */
export function randomNeurons({ config }: Pick<GPT2, "config">, count: number, seed: number): Neuron[] {
  const all = config.nLayer * config.dMlp;
  if (!(Number.isInteger(count) && count >= 0 && count <= all)) {
    throw new UserError(`random neurons: got a count of ${count}, expected a whole number from 0 to ${all}`);
  }
  const random = mulberry32(seed);
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(Math.floor(random() * all));
  return [...drawn].map((place) => neuronAt(config, place));
}
