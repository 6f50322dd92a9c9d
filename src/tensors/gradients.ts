import * as tf from "@tensorflow/tfjs-core";

/*
 * Gradients of the kernels that a transformer's forward pass and its losses use, for tfjs' tape.
 *
 * tfjs-core's Node build registers none (its umbrella package does, at 140 MB), and its gradient of a gather needs a
 * kernel that the wasm backend lacks. Each entry is the textbook derivative; the parity suite checks them against
 * float64 values.
 */

type Gradient = (
  dy: tf.Tensor,
  saved: tf.Tensor[],
  attrs: tf.NamedAttrMap,
) => Record<string, () => tf.Tensor>;

const GRADIENTS: tf.GradConfig[] = [];

/** Puts these gradients in place, also of others that a package has registered meanwhile. */
export function registerGradients(): void {
  GRADIENTS.forEach((gradient) => {
    tf.registerGradient(gradient);
  });
}

function register(
  kernelName: string,
  save: { inputs?: string[]; outputs?: boolean[]; allInputs?: boolean },
  gradFunc: Gradient,
): void {
  GRADIENTS.push({
    kernelName,
    inputsToSave: save.inputs,
    outputsToSave: save.outputs,
    saveAllInputs: save.allInputs,
    gradFunc: gradFunc as unknown as tf.GradFunc,
  });
}

/** Sums `gradient` over the axes along which an operand of `shape` was broadcast. */
function reduceTo(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  const summed = axes.length > 0 ? tf.sum(gradient, axes) : gradient;
  return tf.reshape(summed, shape);
}

/** Names the saved tensors of a gradient; the engine always hands over as many as were asked for. */
function of(saved: tf.Tensor[], index: number): tf.Tensor {
  const tensor = saved[index];
  if (!tensor) throw new Error(`gradient: saved tensor ${index} is missing`);
  return tensor;
}

// Elementwise, two operands.
register("Add", { inputs: ["a", "b"] }, (dy, s) => ({
  a: () => reduceTo(dy, of(s, 0).shape),
  b: () => reduceTo(dy, of(s, 1).shape),
}));
register("Sub", { inputs: ["a", "b"] }, (dy, s) => ({
  a: () => reduceTo(dy, of(s, 0).shape),
  b: () => reduceTo(tf.neg(dy), of(s, 1).shape),
}));
register("Multiply", { inputs: ["a", "b"] }, (dy, s) => ({
  a: () => reduceTo(tf.mul(dy, of(s, 1)), of(s, 0).shape),
  b: () => reduceTo(tf.mul(dy, of(s, 0)), of(s, 1).shape),
}));
register("RealDiv", { inputs: ["a", "b"] }, (dy, s) => ({
  a: () => reduceTo(tf.div(dy, of(s, 1)), of(s, 0).shape),
  b: () => reduceTo(tf.neg(tf.div(tf.mul(dy, of(s, 0)), tf.square(of(s, 1)))), of(s, 1).shape),
}));
register("SquaredDifference", { inputs: ["a", "b"] }, (dy, s) => {
  const slope = () => tf.mul(tf.mul(dy, tf.sub(of(s, 0), of(s, 1))), 2);
  return { a: () => reduceTo(slope(), of(s, 0).shape), b: () => reduceTo(tf.neg(slope()), of(s, 1).shape) };
});
register("AddN", { allInputs: true }, (dy, s) =>
  Object.fromEntries(s.map((_, i) => [String(i), () => tf.clone(dy)])),
);

// Elementwise, one operand.
register("Neg", {}, (dy) => ({ x: () => tf.neg(dy) }));
register("Square", { inputs: ["x"] }, (dy, s) => ({ x: () => tf.mul(dy, tf.mul(of(s, 0), 2)) }));
register("Sqrt", { outputs: [true] }, (dy, s) => ({ x: () => tf.div(dy, tf.mul(of(s, 0), 2)) }));
register("Rsqrt", { inputs: ["x"], outputs: [true] }, (dy, s) => ({
  x: () => tf.mul(dy, tf.mul(tf.div(of(s, 1), of(s, 0)), -0.5)),
}));
register("Exp", { outputs: [true] }, (dy, s) => ({ x: () => tf.mul(dy, of(s, 0)) }));
register("Log", { inputs: ["x"] }, (dy, s) => ({ x: () => tf.div(dy, of(s, 0)) }));
register("Tanh", { outputs: [true] }, (dy, s) => ({ x: () => tf.mul(dy, tf.sub(1, tf.square(of(s, 0)))) }));
register("Sigmoid", { outputs: [true] }, (dy, s) => ({
  x: () => tf.mul(dy, tf.mul(of(s, 0), tf.sub(1, of(s, 0)))),
}));
register("Softplus", { inputs: ["x"] }, (dy, s) => ({
  x: () => tf.mul(dy, tf.sigmoid(of(s, 0))),
}));
register("Cast", {}, (dy) => ({ x: () => tf.clone(dy) }));
register("Identity", {}, (dy) => ({ x: () => tf.clone(dy) }));

// Shape.
register("Reshape", { inputs: ["x"] }, (dy, s) => ({ x: () => tf.reshape(dy, of(s, 0).shape) }));
register("ExpandDims", { inputs: ["input"] }, (dy, s) => ({ input: () => tf.reshape(dy, of(s, 0).shape) }));
register("Transpose", {}, (dy, _, attrs) => {
  const order = attrs["perm"] as number[];
  const inverse = order.map((__, axis) => order.indexOf(axis));
  return { x: () => tf.transpose(dy, inverse) };
});
register("Concat", { allInputs: true }, (dy, s, attrs) => {
  const shapes = s.map((tensor) => tensor.shape);
  const axis = tf.util.parseAxisParam(attrs["axis"] as number, of(s, 0).shape)[0] ?? 0;
  const sizes = shapes.map((shape) => shape[axis] ?? 1);
  const parts = tf.split(dy, sizes, axis);
  return Object.fromEntries(parts.map((part, i) => [String(i), () => part]));
});
register("SplitV", {}, (dy, _, attrs) => ({
  x: () => tf.concat(dy as unknown as tf.Tensor[], attrs["axis"] as number),
}));
register("Slice", { inputs: ["x"] }, (dy, s, attrs) => {
  const shape = of(s, 0).shape;
  const [begin = [], size = []] = tf.slice_util.parseSliceParams(
    of(s, 0),
    attrs["begin"] as number[],
    attrs["size"] as number[],
  );
  const paddings = shape.map((length, axis): [number, number] => {
    const start = begin[axis] ?? 0;
    return [start, length - start - (size[axis] ?? 0)];
  });
  return { x: () => tf.pad(dy, paddings) };
});
register("Pack", {}, (dy, _, attrs) =>
  Object.fromEntries(tf.unstack(dy, attrs["axis"] as number).map((part, i) => [String(i), () => part])),
);
// tf.broadcastTo tiles as well.
register("Tile", { inputs: ["x"] }, (dy, s, attrs) => ({
  x: () => sumTiles(dy, of(s, 0).shape, attrs["reps"] as number[]),
}));

/** Adds up the copies of a tensor of `shape` that were laid side by side, axis after axis. */
function sumTiles(tiles: tf.Tensor, shape: number[], reps: number[]): tf.Tensor {
  let summed = tiles;
  reps.forEach((count, axis) => {
    if (count === 1) return;
    const before = shape.slice(0, axis).reduce((product, length) => product * length, 1);
    summed = tf.sum(tf.reshape(summed, [before, count, -1]), 1);
  });
  return tf.reshape(summed, shape);
}

// Reductions.
register("Sum", { inputs: ["x"] }, (dy, s, attrs) => ({
  x: () => spread(dy, of(s, 0).shape, attrs["axis"] as number[]),
}));
register("Mean", { inputs: ["x"] }, (dy, s, attrs) => {
  const shape = of(s, 0).shape;
  const axes = tf.util.parseAxisParam(attrs["axis"] as number[], shape);
  const count = axes.reduce((product, axis) => product * (shape[axis] ?? 1), 1);
  return { x: () => spread(tf.div(dy, count), shape, axes) };
});
register("Max", { inputs: ["x"], outputs: [true] }, (dy, s, attrs) => {
  const x = of(s, 0);
  const kept = keptShape(x.shape, attrs["reductionIndices"] as number[]);
  const chosen = () => tf.cast(tf.equal(x, tf.reshape(of(s, 1), kept)), "float32");
  return { x: () => tf.mul(tf.reshape(dy, kept), chosen()) };
});

function keptShape(shape: number[], axis: number | number[] | undefined): number[] {
  const axes = tf.util.parseAxisParam(axis ?? shape.map((_, i) => i), shape);
  return shape.map((length, i) => (axes.includes(i) ? 1 : length));
}

function spread(dy: tf.Tensor, shape: number[], axis: number | number[]): tf.Tensor {
  return tf.mul(tf.reshape(dy, keptShape(shape, axis)), tf.ones(shape));
}

// Products, distributions, look-ups.
register("BatchMatMul", { inputs: ["a", "b"] }, (dy, s, attrs) => {
  const [a, b] = [of(s, 0), of(s, 1)];
  const turnedA = Boolean(attrs["transposeA"]);
  const turnedB = Boolean(attrs["transposeB"]);
  return {
    a: () => reduceTo(turnedA ? tf.matMul(b, dy, turnedB, true) : tf.matMul(dy, b, false, !turnedB), a.shape),
    b: () => reduceTo(turnedB ? tf.matMul(dy, a, true, turnedA) : tf.matMul(a, dy, !turnedA, false), b.shape),
  };
});
register("Softmax", { outputs: [true] }, (dy, s) => ({
  logits: () => {
    const weighted = tf.mul(dy, of(s, 0));
    return tf.sub(weighted, tf.mul(tf.sum(weighted, -1, true), of(s, 0)));
  },
}));
register("GatherV2", { inputs: ["x", "indices"] }, (dy, s, attrs) => {
  const [x, indices] = [of(s, 0), of(s, 1)];
  const axis = (attrs["axis"] as number | undefined) ?? 0;
  if (axis !== 0) throw new Error(`gradient of gather: only along axis 0, got axis ${axis}`);
  return { x: () => scatterRows(dy, indices, x.shape) };
});

/** Adds the rows of `rows` at `indices` of a zero tensor of `shape`; equal indices add up. */
function scatterRows(rows: tf.Tensor, indices: tf.Tensor, shape: number[]): tf.Tensor {
  const width = shape.slice(1).reduce((product, length) => product * length, 1);
  const flat = tf.scatterND(tf.reshape(indices, [indices.size, 1]), tf.reshape(rows, [indices.size, width]), [
    shape[0] ?? 0,
    width,
  ]);
  return tf.reshape(flat, shape);
}

registerGradients();
