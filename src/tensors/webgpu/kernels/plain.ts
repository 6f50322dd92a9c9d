import { slice_util } from "@tensorflow/tfjs-core";
import { programOf, run, spread } from "../run.js";
import { floatOutput, refine, sizeOf, take } from "./define.js";
import { elementwise } from "./elementwise.js";

/*
 * Plain kernels that each block of a transformer runs, in the one form in which it does. The shipped ones can do more, and
 * take the CPU several times as long to record: with a token at a time that is what one waits for.
 */

const WORKGROUP = 256;

/** Sums of tensors of one shape, columns of a matrix, and numbers from integers. */
export function registerPlain(): void {
  // As shipped, a cast to float32 is the integers under a new name: its own kernels look at what lies beneath, ours do not.
  refine("Cast", ({ inputs, attrs, backend }) => {
    const x = take(inputs, "x");
    if (attrs["dtype"] !== "float32" || (x.dtype !== "int32" && x.dtype !== "bool")) return null;
    const out = floatOutput(backend, x.shape);
    const count = sizeOf(out);
    if (count === 0) return out;
    const program = programOf("cast", () => ({
      bindings: [
        { name: "x", type: "i32" },
        { name: "out", write: true },
      ],
      parameters: { count: "u32" },
      workgroup: WORKGROUP,
      body: `
  let i = (group.y * groups.x + group.x) * ${WORKGROUP}u + tid;
  if (i < p.count) { out[i] = f32(x[i]); }`,
    }));
    run(backend, program, [x, out], { count }, spread(backend, Math.ceil(count / WORKGROUP)));
    return out;
  });

  refine("Add", ({ inputs, backend }) => {
    const [a, b] = [take(inputs, "a"), take(inputs, "b")];
    if (a.dtype !== "float32" || b.dtype !== "float32" || a.shape.join() !== b.shape.join()) return null;
    const out = floatOutput(backend, a.shape);
    elementwise(backend, {
      name: "add",
      tensors: { a, b, out },
      written: ["out"],
      body: "out[i] = a[i] + b[i];",
    });
    return out;
  });

  refine("Slice", ({ inputs, attrs, backend }) => {
    const x = take(inputs, "x");
    if (x.dtype !== "float32" || x.shape.length !== 2) return null;
    const [begin, size] = slice_util.parseSliceParams(
      x,
      attrs["begin"] as number[],
      attrs["size"] as number[],
    ) as [[number, number], [number, number]];
    slice_util.assertParamsValid(x, begin, size);
    const out = floatOutput(backend, size);
    const count = sizeOf(out);
    if (count === 0) return out;
    const program = programOf("slice", () => ({
      bindings: [{ name: "x" }, { name: "out", write: true }],
      parameters: { count: "u32", width: "u32", start: "u32", stride: "u32" },
      workgroup: WORKGROUP,
      body: `
  let i = (group.y * groups.x + group.x) * ${WORKGROUP}u + tid;
  if (i >= p.count) { return; }
  out[i] = x[p.start + (i / p.width) * p.stride + i % p.width];`,
    }));
    const stride = x.shape[1] as number;
    const parameters = { count, width: size[1], start: begin[0] * stride + begin[1], stride };
    run(backend, program, [x, out], parameters, spread(backend, Math.ceil(count / WORKGROUP)));
    return out;
  });
}
