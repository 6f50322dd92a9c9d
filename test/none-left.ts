import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";

/** Runs something and expects as many tensors, and as many bytes of them, afterwards as before. */
export async function expectNoneLeft(run: () => unknown): Promise<void> {
  const count = (): { numTensors: number; numBytes: number } => {
    const { numTensors, numBytes } = tf.memory();
    return { numTensors, numBytes };
  };
  const before = count();
  await run();
  expect(count()).toEqual(before);
}
