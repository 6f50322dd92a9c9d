import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { FusedName } from "../ops/fused.js";

/*
 * What the fused kernels of the wasm backend share. Each runs a SIMD kernel of `simd/` on addresses of the backend's heap;
 * where there is none, a plain loop over views of it: still one pass where a composition makes eight.
 */

/** Attributes of a kernel, by name. */
export type Attributes = Record<string, number | boolean>;

/** The body of a fused kernel. */
export type Body = (
  inputs: Record<string, tf.TensorInfo>,
  attributes: Attributes,
  heap: Heap,
) => tf.TensorInfo | tf.TensorInfo[];

/** The backend's memory, as a kernel sees it. Views are taken once every output exists: allocating may move them. */
export class Heap {
  constructor(readonly backend: BackendWasm) {}

  allocate(shape: number[]): tf.TensorInfo {
    return this.backend.makeOutput(shape, "float32");
  }

  free(info: tf.TensorInfo): void {
    this.backend.disposeData(info.dataId);
  }

  floats(info: tf.TensorInfo): Float32Array {
    return this.backend.typedArrayFromHeap(info) as Float32Array;
  }

  integers(info: tf.TensorInfo): Int32Array {
    return this.backend.typedArrayFromHeap(info) as Int32Array;
  }

  /** Where a tensor lies, in bytes: what a SIMD kernel works on. Stays as it is when the heap grows. */
  address(info: tf.TensorInfo): number {
    return this.backend.dataIdMap.get(info.dataId).memoryOffset;
  }

  /** The same data once more, for a kernel that works in place or only renames. */
  share(info: tf.TensorInfo, shape: number[] = info.shape): tf.TensorInfo {
    this.backend.incRef(info.dataId);
    return { dataId: info.dataId, shape, dtype: info.dtype };
  }
}

/** Registers a fused kernel of the wasm backend. */
export function registerFused(kernelName: FusedName, body: Body): void {
  replaceKernel(kernelName, ({ inputs, attrs, backend }) =>
    body(
      inputs as Record<string, tf.TensorInfo>,
      (attrs ?? {}) as Attributes,
      new Heap(backend as BackendWasm),
    ),
  );
}

/**
 * Replaces a kernel in place. Unregistering first keeps tfjs from warning; the setup function of a shipped kernel has
 * already run, and it stays callable for whoever took it before.
 */
export function replaceKernel(
  kernelName: string,
  kernelFunc: (call: { inputs: object; backend: object; attrs?: object }) => tf.TensorInfo | tf.TensorInfo[],
): void {
  if (tf.getKernel(kernelName, "wasm")) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc: kernelFunc });
}

/** A kernel that the backend ships. */
export function shippedKernel(name: string): tf.KernelFunc {
  const config = tf.getKernel(name, "wasm");
  if (!config) throw new Error(`the wasm backend has no kernel ${name}`);
  return config.kernelFunc;
}

export function input(inputs: Record<string, tf.TensorInfo>, name: string): tf.TensorInfo {
  const info = inputs[name];
  if (!info) throw new Error(`fused kernel: missing input ${name}`);
  return info;
}

/** The number of values of a tensor. */
export function sizeOf({ shape }: tf.TensorInfo): number {
  return tf.util.sizeFromShape(shape);
}

export function number(attributes: Attributes, name: string): number {
  const value = attributes[name];
  if (typeof value !== "number") throw new Error(`fused kernel: missing attribute ${name}`);
  return value;
}
