import * as tf from "@tensorflow/tfjs-core";
import { peakTensorBytes, processPeak } from "./peak-memory.js";
import { median } from "@alignscope/tensors/vectors";

/** How long passes took, in seconds, and what they took of memory. */
export interface Timing {
  /** Median of the repetitions. */
  secondsPerPass: number;
  secondsMin: number;
  secondsMax: number;
  repetitions: number;
  /** The largest resident set of the whole process while this was measured. */
  peakMemoryBytes: number;
  /** The most that tensors held at once, weights included; buffers that a backend keeps for later are not counted. */
  peakTensorBytes: number;
}

export interface TimingOptions {
  repetitions: number;
  /** A measurement runs the pass as often as fills this time, and divides; for passes of microseconds. */
  fillSeconds?: number;
}

/** What one pass leaves for the device to finish: a tensor to wait for, which is disposed of. */
export type Pass = () => tf.Tensor | Promise<tf.Tensor>;

/**
 * Times a pass after one that is not counted (it compiles shaders and fills caches, and its tensors are counted). Each
 * measurement ends when the device has answered, not when the work was queued.
 */
export async function time(pass: Pass, { repetitions, fillSeconds = 0 }: TimingOptions): Promise<Timing> {
  const memory = processPeak();
  const tensorBytes = await peakTensorBytes(async () => finish(await pass()));
  let perMeasurement = 1;
  for (let seconds = await measure(pass, 1); fillSeconds > 0 && seconds < fillSeconds;) {
    perMeasurement = Math.ceil(perMeasurement * Math.min(10, (1.2 * fillSeconds) / seconds));
    seconds = await measure(pass, perMeasurement);
  }
  const seconds: number[] = [];
  for (let i = 0; i < repetitions; i++) seconds.push((await measure(pass, perMeasurement)) / perMeasurement);
  seconds.sort((a, b) => a - b);
  return {
    secondsPerPass: median(seconds),
    secondsMin: seconds[0] ?? Number.NaN,
    secondsMax: seconds[seconds.length - 1] ?? Number.NaN,
    repetitions,
    peakMemoryBytes: memory(),
    peakTensorBytes: tensorBytes,
  };
}

async function measure(pass: Pass, times: number): Promise<number> {
  const started = performance.now();
  for (let i = 1; i < times; i++) (await pass()).dispose();
  await finish(await pass());
  return (performance.now() - started) / 1000;
}

/** Waits until the device has computed the tensor, by fetching one number of it. */
async function finish(result: tf.Tensor): Promise<void> {
  const one = tf.tidy(() => tf.slice(tf.reshape(result, [-1]), [0], [1]));
  result.dispose();
  await one.data();
  one.dispose();
}
