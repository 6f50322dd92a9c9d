import { registerAttention } from "./kernels/attention.js";
import { registerAttentionGrad } from "./kernels/attention-grad.js";
import { registerGelu } from "./kernels/gelu.js";
import { registerLayerNorm } from "./kernels/layer-norm.js";
import { registerLinearGelu } from "./kernels/linear-gelu.js";
import { registerLogProbs } from "./kernels/log-probs.js";
import { registerPast } from "./kernels/past.js";
import { registerPlain } from "./kernels/plain.js";
import { registerRmsProp } from "./kernels/rmsprop.js";
import { registerRows } from "./kernels/rows.js";
import { registerMatMul } from "./matmul.js";

/** Registers our kernels, replacing the shipped ones of the same name. */
export function registerKernels(): void {
  registerMatMul();
  registerLinearGelu();
  registerGelu();
  registerLayerNorm();
  registerAttention();
  registerAttentionGrad();
  registerLogProbs();
  registerRows();
  registerPast();
  registerRmsProp();
  registerPlain();
}
