import { shortened } from "./words.js";
import { size as byteSize } from "@alignscope/base/size";

/*
 * What this kernel knows of TensorFlow.js: shapes of its objects and of its engine, which every copy of the library shares
 * through the global object. The library itself is never loaded from here; the cells' own copy may be any.
 */

/** A tensor, of whatever copy of the library. */
export interface TensorLike {
  dtype: string;
  /** [rows, columns, …] */
  shape: number[];
  size: number;
  isDisposed: boolean;
  dataId: object;
  /** Resolves to all values in row-major order; complex ones as pairs. Not on every backend can one wait for them. */
  data(): Promise<ArrayLike<unknown>>;
  dispose(): void;
  /** Variables have these. */
  name?: string;
  trainable?: boolean;
}

/** tf.buffer(): values that are in the process and can be set. */
export interface TensorBufferLike {
  dtype: string;
  shape: number[];
  size: number;
  values: ArrayLike<unknown>;
}

interface Engine {
  backend: object;
  tidy<T>(body: () => T): T;
  runKernel(name: string, inputs: object, attributes: object): TensorLike;
  state?: { tensorInfo?: { get(dataId: object): { backend?: object } | undefined } };
}

function isShape(shape: unknown): shape is number[] {
  return Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
}

export function isTensor(value: object): value is TensorLike {
  const tensor = value as Partial<TensorLike>;
  return (
    typeof tensor.dtype === "string" &&
    isShape(tensor.shape) &&
    typeof tensor.size === "number" &&
    typeof tensor.data === "function" &&
    typeof tensor.dispose === "function"
  );
}

export function isTensorBuffer(value: object): value is TensorBufferLike {
  const buffer = value as Partial<TensorBufferLike> & { toTensor?: unknown };
  return (
    typeof buffer.dtype === "string" &&
    isShape(buffer.shape) &&
    typeof buffer.toTensor === "function" &&
    typeof buffer.values === "object"
  );
}

/** `Tensor float32 [2, 3]`, `Variable "weights" float32 [2, 3], trainable`, and the memory of what is large. */
export function titleOf({ dtype, shape, size, name, trainable }: TensorLike): string {
  const kind = trainable === undefined ? "Tensor" : `Variable "${shortened(String(name), 100)}"`;
  const width = { float32: 4, int32: 4, bool: 1, complex64: 8 }[dtype] ?? 0;
  const memory = size * width >= 1e6 ? `, ${byteSize(size * width)}` : "";
  const training = trainable === undefined ? "" : trainable ? ", trainable" : ", not trainable";
  return `${kind} ${dtype} [${shape.join(", ")}]${training}${memory}`;
}

/**
 * The values of the corner of a tensor that has the shape `block`, which alone are brought from the device. Makes no tensor
 * that stays. Undefined when the tensor lives on another backend than the present one, since using it would move all of it.
 */
export async function corner(
  tensor: TensorLike,
  block: readonly number[],
): Promise<ArrayLike<unknown> | undefined> {
  const engine = (globalThis as { _tfengine?: Engine })._tfengine;
  const home = engine?.state?.tensorInfo?.get(tensor.dataId)?.backend;
  if (!engine || home !== engine.backend) return undefined;
  const part = engine.tidy(() =>
    engine.runKernel("Slice", { x: tensor }, { begin: block.map(() => 0), size: [...block] }),
  );
  try {
    return await part.data();
  } finally {
    part.dispose();
  }
}
