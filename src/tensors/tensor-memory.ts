import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { HEAP_CEILING } from "./wasm/heap.js";

/**
 * A float32 tensor whose values `fill` writes in place: on the wasm backend straight to its heap, so that they are never
 * held twice.
 */
export function filledTensor(shape: number[], fill: (values: Float32Array) => void): tf.Tensor {
  if (tf.getBackend() !== "wasm") {
    const values = new Float32Array(tf.util.sizeFromShape(shape));
    fill(values);
    return tf.tensor(values, shape);
  }
  const backend = tf.backend() as BackendWasm;
  const info = backend.makeOutput(shape, "float32");
  const tensor = tf.engine().makeTensorFromTensorInfo(info, backend);
  try {
    fill(backend.typedArrayFromHeap(info) as Float32Array);
    return tensor;
  } catch (error) {
    tensor.dispose();
    throw error;
  }
}

/**
 * The values of a float32 tensor, to be read before the next operation: on the wasm backend a view of its heap, which costs
 * no copy and is void once the heap grows.
 */
export function valuesInPlace(tensor: tf.Tensor): Float32Array {
  if (tf.getBackend() !== "wasm") return tensor.dataSync<"float32">();
  return (tf.backend() as BackendWasm).typedArrayFromHeap(tensor) as Float32Array;
}

/** Bytes that further tensors can take on the current backend, and its ceiling; null where nobody knows. */
export function freeMemory(): { free: number; ceiling: number } | null {
  if (tf.getBackend() !== "wasm") return null;
  return { free: HEAP_CEILING - tf.memory().numBytes, ceiling: HEAP_CEILING };
}
