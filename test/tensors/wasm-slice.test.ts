import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { openBackend } from "../../src/tensors/index.js";

beforeAll(async () => {
  await openBackend("wasm");
});

/** Per axis: its length, and what is cut out of it. */
const axes = fc.array(
  fc.record({
    length: fc.integer({ min: 1, max: 5 }),
    begin: fc.nat(4),
    size: fc.nat(5),
    whole: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
);

test("a slice of any rank holds what its indices say", () => {
  const property = fc.property(axes, fc.constantFrom("float32", "int32", "bool"), (cuts, dtype) => {
    const shape = cuts.map(({ length }) => length);
    const begin = cuts.map(({ begin, length, whole }) => (whole ? 0 : begin % length));
    const size = cuts.map(({ size, length, whole }, i) =>
      whole ? length : Math.min(size, length - begin[i]!),
    );
    const data = Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) =>
      dtype === "bool" ? i % 3 : i,
    );
    const strides = [...tf.util.computeStrides(shape), 1];
    const expected = Array.from({ length: tf.util.sizeFromShape(size) }, (_, n) => {
      const index = tf.util.indexToLoc(n, size.length, tf.util.computeStrides(size));
      return data[index.reduce((at, i, axis) => at + (i + begin[axis]!) * strides[axis]!, 0)];
    });
    tf.engine().startScope();
    const values = dtype === "bool" ? data.map(Boolean) : data;
    const cut = tf.slice(tf.tensor(values, shape, dtype), begin, size);
    const measured = Array.from(cut.dataSync());
    tf.engine().endScope();
    expect([cut.shape, cut.dtype]).toEqual([size, dtype]);
    expect(measured).toEqual(dtype === "bool" ? expected.map((value) => Number(value !== 0)) : expected);
  });
  fc.assert(property, { numRuns: 300 });
});

test("a slice beyond its tensor is refused", () => {
  expect(() => tf.slice(tf.zeros([3, 4]), [1, 2], [2, 3])).toThrow(
    /Error in slice2D|begin\[1\] \+ size\[1\]/,
  );
});
