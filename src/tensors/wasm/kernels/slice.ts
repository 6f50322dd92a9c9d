import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { Heap, replaceKernel, shippedKernel } from "../kernel.js";

interface SliceArguments {
  inputs: { x: tf.TensorInfo };
  backend: BackendWasm;
  attrs: { begin: number | number[]; size: number | number[] };
}

/** Slices are copied from the heap to the heap. As shipped, the whole tensor is copied out first: all logits for one row. */
export function registerSlice(): void {
  const shipped = shippedKernel("Slice");
  replaceKernel("Slice", (call) => {
    const { inputs, backend, attrs } = call as SliceArguments;
    const { x } = inputs;
    if (x.dtype !== "float32" && x.dtype !== "int32") return shipped(call as Parameters<tf.KernelFunc>[0]);
    const [begin, size] = tf.slice_util.parseSliceParams(x, attrs.begin, attrs.size) as [number[], number[]];
    tf.slice_util.assertParamsValid(x, begin, size);
    const out = backend.makeOutput(size, x.dtype);
    const heap = new Heap(backend);
    copyRuns(heap.floats(x), x.shape, begin, heap.floats(out), size);
    return out;
  });
}

/** Copies run by run: what lies together in both, from the last axis that is cut on. */
function copyRuns(
  from: Float32Array,
  shape: number[],
  begin: number[],
  to: Float32Array,
  size: number[],
): void {
  const memory = new Uint8Array(from.buffer);
  const bytes = from.BYTES_PER_ELEMENT;
  const strides = [...tf.util.computeStrides(shape), 1];
  let cut = Math.max(0, shape.length - 1);
  while (cut > 0 && size[cut] === shape[cut]) cut--;
  const run = tf.util.sizeFromShape(size.slice(cut)) * bytes;
  const first = begin.reduce((offset, index, axis) => offset + index * strides[axis]!, 0);
  for (let n = 0, at = to.byteOffset; n * run < to.byteLength; n++, at += run) {
    let offset = first;
    for (let axis = cut - 1, rest = n; axis >= 0; axis--) {
      offset += (rest % size[axis]!) * strides[axis]!;
      rest = Math.floor(rest / size[axis]!);
    }
    const start = from.byteOffset + offset * bytes;
    memory.copyWithin(at, start, start + run);
  }
}
