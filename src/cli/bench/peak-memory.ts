// eslint-disable-next-line no-restricted-imports -- a switch of the kernel below /proc
import { readFileSync, writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";

/**
 * Begins to watch the process' largest resident set and returns a function that says it, in bytes. Linux lets a process
 * start that mark afresh; elsewhere it is the largest since the process began.
 */
export function processPeak(): () => number {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    return () => process.resourceUsage().maxRSS * 1024;
  }
  return () => {
    const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return kilobytes === undefined ? process.resourceUsage().maxRSS * 1024 : Number(kilobytes) * 1024;
  };
}

/**
 * The most bytes that tensors held while `work` ran. tf.profile would say so too, but reads every kernel's output back,
 * which webgpu cannot do within a pass, and counts a buffer once per tensor that shows it; so the engine's own list of
 * buffers is watched. What is held before counts as the engine counts it.
 */
export async function peakTensorBytes(work: () => Promise<void>): Promise<number> {
  const { tensorInfo, numBytes } = tf.engine().state;
  let now = numBytes;
  let peak = now;
  const sizeOf = ({ shape, dtype }: { shape: number[]; dtype: tf.DataType }): number =>
    tf.util.sizeFromShape(shape) * (dtype === "string" ? 0 : tf.util.bytesPerElement(dtype));
  const watched = Object.assign(tensorInfo, {
    set(id: object, info: Parameters<typeof tensorInfo.set>[1]) {
      if (!tensorInfo.has(id)) peak = Math.max(peak, (now += sizeOf(info)));
      return WeakMap.prototype.set.call(tensorInfo, id, info) as typeof tensorInfo;
    },
    delete(id: object) {
      const info = tensorInfo.get(id);
      if (info) now -= sizeOf(info);
      return WeakMap.prototype.delete.call(tensorInfo, id);
    },
  }) as Partial<typeof tensorInfo>;
  try {
    await work();
  } finally {
    // What the object has of its own hid what its class gives it.
    delete watched.set;
    delete watched.delete;
  }
  return peak;
}
