import * as tf from "@tensorflow/tfjs-core";
import { differentiable } from "../tape.js";
import { FUSED, hasKernel, runKernel } from "./fused.js";

/**
 * Rows of a table.
 *
 * @param table `[rows, width]`
 * @param ids int32 `[n]`
 * @returns `[n, width]`
 */
export function embed(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  if (!hasKernel(FUSED.scatterAdd)) return tf.gather(table, ids);
  return differentiable([table], (save) => {
    save([ids]);
    return {
      value: hasKernel(FUSED.gatherRows)
        ? runKernel<tf.Tensor>(FUSED.gatherRows, { table, ids })
        : tf.gather(table, ids),
      gradient: (dy, saved) =>
        runKernel<tf.Tensor>(
          FUSED.scatterAdd,
          { rows: dy, ids: saved[0] as tf.Tensor },
          { length: table.shape[0] },
        ),
    };
  });
}
