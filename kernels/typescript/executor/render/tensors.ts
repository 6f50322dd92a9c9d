import { inspect } from "node:util";
import type { Renderer } from "./renderer.js";
import { propertiesOf, textOnly } from "./renderer.js";
import { nested, numberTexts } from "./nested.js";
import type { TensorBufferLike, TensorLike } from "./tensor-shape.js";
import { corner, isTensor, isTensorBuffer, titleOf } from "./tensor-shape.js";
import { shortened } from "./words.js";

/** A tensor of no more values is read and shown whole. */
const smallTensor = 200;
/** Too large to be read whole for the sake of a few values when its corner cannot be had. */
const mostRead = 100_000;

/** Tensors, variables and tensor buffers of TensorFlow.js: dtype, shape and the first values, rounded. */
export const tensors: Renderer = {
  what: "a tensor",
  async render(value) {
    const object = propertiesOf(value);
    if (!object) return undefined;
    if (isTensor(object)) return textOnly(await tensorText(object));
    if (isTensorBuffer(object)) return textOnly(bufferText(object));
    return undefined;
  },
};

async function tensorText(tensor: TensorLike): Promise<string> {
  const title = titleOf(tensor);
  if (tensor.isDisposed) return `${title}, disposed`;
  const { shape } = tensor;
  const size = sizeOf(shape);
  if (size === 0) return `${title}, empty`;
  const block = size <= smallTensor ? shape : firstBlock(shape);
  const whole = block === shape;
  let values = whole ? await tensor.data() : await corner(tensor, block);
  if (!values && size <= mostRead) values = takeCorner(await tensor.data(), shape, block, tensor.dtype);
  if (!values) return `${title}\n(on another backend than the present one: values not read)`;
  return `${title}\n${nested(texts(values, tensor.dtype), block, shape)}`;
}

function bufferText(buffer: TensorBufferLike): string {
  const title = `TensorBuffer ${buffer.dtype} [${buffer.shape.join(", ")}]`;
  const size = sizeOf(buffer.shape);
  if (size === 0) return `${title}, empty`;
  const block = size <= smallTensor ? buffer.shape : firstBlock(buffer.shape);
  const values = takeCorner(buffer.values, buffer.shape, block, buffer.dtype);
  return `${title}\n${nested(texts(values, buffer.dtype), block, buffer.shape)}`;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, extent) => size * extent, 1);
}

/** How many of the first values are shown along each axis: most along the last two. */
function firstBlock(shape: readonly number[]): number[] {
  const fromLast = shape.length === 1 ? [60] : shape.length === 2 ? [8, 10] : [8, 6, 2, 2];
  return shape.map((extent, axis) => Math.min(extent, fromLast[shape.length - 1 - axis] ?? 1));
}

/** The corner of row-major values. */
function takeCorner(
  values: ArrayLike<unknown>,
  shape: readonly number[],
  block: readonly number[],
  dtype: string,
): unknown[] {
  const parts = dtype === "complex64" ? 2 : 1;
  const taken: unknown[] = [];
  const visit = (axis: number, offset: number): void => {
    if (axis === shape.length) {
      for (let part = 0; part < parts; part += 1) taken.push(values[offset * parts + part]);
      return;
    }
    for (let index = 0; index < block[axis]!; index += 1) visit(axis + 1, offset * shape[axis]! + index);
  };
  visit(0, 0);
  return taken;
}

/** Each value as text. */
function texts(values: ArrayLike<unknown>, dtype: string): string[] {
  const list = Array.from(values);
  if (dtype === "bool") return list.map((value) => String(Boolean(value)));
  if (dtype === "string") {
    return list.map((value) => (typeof value === "string" ? shortened(inspect(value), 60) : "bytes"));
  }
  if (dtype !== "complex64") return numberTexts(list.map(Number));
  const numbers = numberTexts(list.map(Number));
  return numbers.flatMap((real, index) => {
    if (index % 2 === 1) return [];
    const imaginary = numbers[index + 1]!.trim();
    return [`${real.trim()}${imaginary.startsWith("-") ? "" : "+"}${imaginary}i`];
  });
}
