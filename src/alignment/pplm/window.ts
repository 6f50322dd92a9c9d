import * as tf from "@tensorflow/tfjs-core";
import type { PPLMSettings } from "./options.js";

/**
 * How much each position of the past is perturbed: all of them alike, or the last `windowLength`, and these, with decay, by
 * 1/w, 2/w, …, 1. A past no longer than the window is perturbed as a whole, without decay, as in PPLM.
 *
 * The published code lays the window over the earliest positions instead; the paper and its tables are without one.
 *
 * @param lengths tokens of each row, the one after the past included
 * @param at positions of the past, pads on the left included
 * @returns `[row, at]`
 */
export function windowMask(
  lengths: readonly number[],
  at: number,
  { windowLength, decay }: Pick<PPLMSettings, "windowLength" | "decay">,
): tf.Tensor2D {
  const mask = new Float32Array(lengths.length * at).fill(1);
  lengths.forEach((length, row) => {
    if (windowLength === 0 || length - 1 <= windowLength) return;
    for (let position = 0; position < at; position++) {
      const place = position - (at - windowLength) + 1; // 1 to windowLength within the window
      mask[row * at + position] = place < 1 ? 0 : decay ? place / windowLength : 1;
    }
  });
  return tf.tensor2d(mask, [lengths.length, at]);
}
