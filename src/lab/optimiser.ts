import * as tf from "@tensorflow/tfjs-core";

/*
 * The optimisers of pretraining. Parameters, gradient and moments are flat arrays in shared memory, of which each worker
 * updates its share.
 */

/** A part of the flat arrays: rows of `columns` values, each `stride` values after the one before. */
export interface Slab {
  offset: number;
  rows: number;
  columns: number;
  stride: number;
}

/** What an update reads and writes; all of one length. */
export interface OptimiserState {
  parameters: Float32Array;
  gradient: Float32Array;
  momentum: Float32Array;
  variance: Float32Array;
}

const ADAM = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };
const MUON = { momentum: 0.95, steps: 5 };
/** Coefficients of Muon's quintic iteration, which pulls every singular value to about 1 (Jordan et al. 2024). */
const QUINTIC = [3.4445, -4.775, 2.0315] as const;

/**
 * One step of AdamW (Loshchilov and Hutter 2019) on the values `from` to `to`.
 *
 * @param clip what the gradient is multiplied by first
 * @param step counted from 0
 */
export function adamW(
  { parameters, gradient, momentum, variance }: OptimiserState,
  {
    from,
    to,
    step,
    rate,
    weightDecay,
    clip,
  }: {
    from: number;
    to: number;
    step: number;
    rate: number;
    weightDecay: number;
    clip: number;
  },
): void {
  const { beta1, beta2, epsilon } = ADAM;
  const first = rate / (1 - beta1 ** (step + 1));
  const second = 1 / (1 - beta2 ** (step + 1));
  const keep = 1 - rate * weightDecay;
  for (let i = from; i < to; i++) {
    const slope = gradient[i]! * clip;
    const m = beta1 * momentum[i]! + (1 - beta1) * slope;
    const v = beta2 * variance[i]! + (1 - beta2) * slope * slope;
    momentum[i] = m;
    variance[i] = v;
    parameters[i] = keep * parameters[i]! - (first * m) / (Math.sqrt(v * second) + epsilon);
  }
}

/**
 * One step of Muon (Jordan et al. 2024) on a matrix `[in, out]`: momentum in Nesterov's form, made orthogonal, scaled by
 * √max(1, out / in).
 */
export function muon(
  { parameters, gradient, momentum }: OptimiserState,
  { offset, rows, columns, stride }: Slab,
  { rate, weightDecay }: { rate: number; weightDecay: number },
): void {
  const direction = new Float32Array(rows * columns);
  for (let row = 0, to = 0; row < rows; row++) {
    for (let i = offset + row * stride, end = i + columns; i < end; i++, to++) {
      const m = MUON.momentum * momentum[i]! + (1 - MUON.momentum) * gradient[i]!;
      momentum[i] = m;
      direction[to] = MUON.momentum * m + (1 - MUON.momentum) * gradient[i]!;
    }
  }
  const update = orthogonalised(direction, rows, columns);
  const size = rate * Math.sqrt(Math.max(1, columns / rows));
  const keep = 1 - rate * weightDecay;
  for (let row = 0, from = 0; row < rows; row++) {
    for (let i = offset + row * stride, end = i + columns; i < end; i++, from++) {
      parameters[i] = keep * parameters[i]! - size * update[from]!;
    }
  }
}

/**
 * The matrix with the same singular vectors and singular values near 1, by five Newton–Schulz iterations
 * X ← aX + (bXXᵀ + c(XXᵀ)²)X on the current backend.
 */
export function orthogonalised(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const [a, b, c] = QUINTIC;
  let squares = 0;
  for (const value of matrix) squares += value * value;
  const norm = Math.sqrt(squares) + 1e-7;
  // The values are read outside of tidy, which looks for tensors in what it returns, one value at a time.
  const result = tf.tidy(() => {
    const given = tf.tensor2d(matrix, [rows, columns]);
    let x: tf.Tensor2D = tf.div(rows > columns ? tf.transpose(given) : given, norm);
    for (let i = 0; i < MUON.steps; i++) {
      x = tf.tidy(() => {
        const gram: tf.Tensor2D = tf.matMul(x, x, false, true);
        const polynomial: tf.Tensor2D = tf.add(tf.mul(gram, b), tf.mul(tf.matMul(gram, gram), c));
        return tf.add<tf.Tensor2D>(tf.mul(x, a), tf.matMul(polynomial, x));
      });
    }
    return rows > columns ? tf.transpose(x) : x;
  });
  const values = result.dataSync<"float32">();
  result.dispose();
  return values;
}

/**
 * Which parameters Muon updates: the matrices of the blocks, queries, keys and values of an attention each for itself.
 * Everything else (embeddings, positions, biases, layer norms) is AdamW's.
 */
export function muonSlabs(shapes: Iterable<[name: string, shape: number[]]>): Slab[] {
  const slabs: Slab[] = [];
  let offset = 0;
  for (const [name, shape] of shapes) {
    const [rows = 1, columns = 1] = shape;
    if (name.startsWith("h.") && shape.length === 2) {
      const parts = name.endsWith("c_attn.weight") ? 3 : 1;
      for (let part = 0; part < parts; part++) {
        slabs.push({
          offset: offset + (part * columns) / parts,
          rows,
          columns: columns / parts,
          stride: columns,
        });
      }
    }
    offset += tf.util.sizeFromShape(shape);
  }
  return slabs;
}
