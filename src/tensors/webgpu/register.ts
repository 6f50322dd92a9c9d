import { registerAttention } from "./kernels/attention";
import { registerAttentionGrad } from "./kernels/attention-grad";
import { registerGelu } from "./kernels/gelu";
import { registerLayerNorm } from "./kernels/layer-norm";
import { registerLinearGelu } from "./kernels/linear-gelu";
import { registerLogProbs } from "./kernels/log-probs";
import { registerPast } from "./kernels/past";
import { registerPlain } from "./kernels/plain";
import { registerRmsProp } from "./kernels/rmsprop";
import { registerRows } from "./kernels/rows";
import { registerMatMul } from "./matmul";

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
