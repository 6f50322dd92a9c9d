import { parameterCount, type ModelShape } from "../../data/model-shape.js";
import type { Task } from "./task.js";

/** Bytes of device memory at a notebook's fullest moment, float32 throughout; rough, and what it is made of. */
export interface MemoryEstimate {
  notebook: string;
  bytes: number;
  what: string;
}

const FLOAT = 4;
/** Logits of a perplexity pass are kept near 128 MiB, and as much again is on its way. */
const ONE_PASS = 2 ** 28;
/** Notebooks that hold the model and the aligned one as they are, and both with folded weights. */
const READS_BOTH = new Set(["5.2-residual-shift", "B-residual-shift-layers", "C-value-vector-shift-layers"]);

/** Bytes of a model's parameters in float32. */
export function weightBytes(shape: ModelShape): number {
  return FLOAT * parameterCount(shape);
}

/** Keys and values of so many positions. */
function keyValueBytes({ layers, width }: ModelShape, positions: number): number {
  return FLOAT * 2 * layers * width * positions;
}

/** What a backward pass keeps of so many positions: about 17 d per block, and the logits with their gradient. */
function keptBytes({ layers, width, vocabulary }: ModelShape, positions: number): number {
  return FLOAT * positions * (17 * layers * width + 2 * vocabulary);
}

/** The device memory that a notebook needs, most of all in those that hold more than a model and its copy. */
export function memoryOf(notebook: string, { shape, number, text }: Task): MemoryEstimate {
  const weights = weightBytes(shape);
  if (notebook === "4.3-dpo") {
    const pairs = number("dpoMicroBatch") || number("dpoBatch");
    const positions = 2 * pairs * (number("dpoPromptTokens") + number("dpoNewTokens"));
    const what = "policy, reference, gradients and RMSProp's averages, and one batch's activations";
    return { notebook, bytes: 4 * weights + keptBytes(shape, positions), what };
  }
  if (notebook === "4.2-pairwise-data" && text("pairs") === "make") {
    const positions = number("pairBatch") * (number("pairPromptTokens") + number("pairNewTokens"));
    const what = "weights, and keys and values of one batch, unperturbed, perturbed and their gradient";
    return { notebook, bytes: weights + 3 * keyValueBytes(shape, positions), what };
  }
  if (READS_BOTH.has(notebook)) {
    const what = "both models' weights, a processed copy of each, and one pass";
    return { notebook, bytes: 4 * weights + ONE_PASS, what };
  }
  if (notebook === "5.3-unalign") {
    const positions =
      Math.min(number("batchSize"), 32) * (number("keyPromptTokens") + number("maxNewTokens"));
    const what = "both models' weights, and what a batch's gradient keeps, or one pass";
    return { notebook, bytes: 2 * weights + Math.max(keptBytes(shape, positions), ONE_PASS), what };
  }
  return { notebook, bytes: 2 * weights + ONE_PASS, what: "weights, a processed copy, and one pass" };
}
