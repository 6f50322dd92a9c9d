import * as tf from "@tensorflow/tfjs-core";
import type { DeviceBackend } from "../device.js";

/** What a kernel is given. */
export interface Call {
  inputs: Record<string, tf.TensorInfo | undefined>;
  attrs: Record<string, unknown>;
  backend: DeviceBackend;
}

/** Registers a kernel of the webgpu backend, in place of the one of that name. */
export function define(kernelName: string, compute: (call: Call) => tf.TensorInfo | tf.TensorInfo[]): void {
  if (tf.getKernel(kernelName, "webgpu")) tf.unregisterKernel(kernelName, "webgpu");
  const kernelFunc = ({ inputs, attrs, backend }: Record<string, unknown>): tf.TensorInfo | tf.TensorInfo[] =>
    compute({
      inputs: inputs as Call["inputs"],
      attrs: (attrs ?? {}) as Call["attrs"],
      backend: backend as DeviceBackend,
    });
  tf.registerKernel({ kernelName, backendName: "webgpu", kernelFunc: kernelFunc });
}

/** Replaces a shipped kernel where `compute` knows better; where it returns null, the shipped one goes on. */
export function refine(kernelName: string, compute: (call: Call) => tf.TensorInfo | null): void {
  const shipped = tf.getKernel(kernelName, "webgpu");
  define(
    kernelName,
    (call) => compute(call) ?? shipped.kernelFunc(call as unknown as Parameters<tf.KernelFunc>[0]),
  );
}

export function take(inputs: Call["inputs"], name: string): tf.TensorInfo {
  const info = inputs[name];
  if (!info) throw new Error(`fused kernel: missing input ${name}`);
  return info;
}

export function numberOf(attrs: Call["attrs"], name: string): number {
  const value = attrs[name];
  if (typeof value !== "number") throw new Error(`fused kernel: attribute ${name}: expected a number`);
  return value;
}

export function sizeOf({ shape }: tf.TensorInfo): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** A float32 tensor for a kernel to fill. */
export function floatOutput(backend: DeviceBackend, shape: number[]): tf.TensorInfo {
  return backend.makeTensorInfo(shape, "float32", shape.includes(0) ? new Float32Array() : undefined);
}

/** The same data under a new name, as the shipped Identity does it: what a kernel in place returns. */
export function sameData(backend: DeviceBackend, { dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo {
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}
