/*
 * The operations of a transformer in float64, one textbook formula each, with the reverse of each beside it. Matrices
 * lie row by row in a Float64Array; nothing here is fast, and nothing is shared with the code that it referees.
 */

/** `a·b`, `[rows, inner]` by `[inner, columns]`. */
export function product(
  a: Float64Array,
  b: Float64Array,
  { rows, inner, columns }: { rows: number; inner: number; columns: number },
): Float64Array {
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i += 1) {
    for (let k = 0; k < inner; k += 1) {
      const factor = a[i * inner + k]!;
      for (let j = 0; j < columns; j += 1) result[i * columns + j]! += factor * b[k * columns + j]!;
    }
  }
  return result;
}

/** A matrix `[rows, columns]` turned to `[columns, rows]`. */
export function transposed(a: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(a.length);
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1) result[j * rows + i] = a[i * columns + j]!;
  }
  return result;
}

/** The sum of two arrays. */
export function sum(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]!);
}

/** The sum over the rows of `[rows, width]`. */
export function columnSums(a: Float64Array, width: number): Float64Array {
  const result = new Float64Array(width);
  a.forEach((value, i) => (result[i % width]! += value));
  return result;
}

/** An affine map of rows: `x·weight + bias`, weight `[in, out]`. */
export function affine(x: Float64Array, weight: Float64Array, bias: Float64Array): Float64Array {
  const columns = bias.length;
  const inner = weight.length / columns;
  const result = product(x, weight, { rows: x.length / inner, inner, columns });
  return result.map((value, i) => value + bias[i % columns]!);
}

/** What reaches x, weight and bias of {@link affine} when `dy` reaches its result. */
export function affineReverse(
  dy: Float64Array,
  x: Float64Array,
  weight: Float64Array,
  out: number,
): { dx: Float64Array; dWeight: Float64Array; dBias: Float64Array } {
  const inner = weight.length / out;
  const rows = dy.length / out;
  return {
    dx: product(dy, transposed(weight, inner, out), { rows, inner: out, columns: inner }),
    dWeight: product(transposed(x, rows, inner), dy, { rows: inner, inner: rows, columns: out }),
    dBias: columnSums(dy, out),
  };
}

/** Rows of `width` less their mean, and the scale that normalises each: √(variance + ε). */
export function centre(
  x: Float64Array,
  width: number,
  epsilon: number,
): { centred: Float64Array; scale: Float64Array } {
  const scale = new Float64Array(x.length / width);
  const centred = new Float64Array(x.length);
  scale.forEach((_, row) => {
    const own = x.subarray(row * width, (row + 1) * width);
    const mean = own.reduce((a, b) => a + b, 0) / width;
    const variance = own.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
    scale[row] = Math.sqrt(variance + epsilon);
    own.forEach((value, j) => (centred[row * width + j] = value - mean));
  });
  return { centred, scale };
}

/** What reaches x when `dNormalized` reaches n = centred / scale: (dn − mean(dn) − n·mean(dn·n)) / scale, row by row. */
export function normaliseReverse(
  dNormalized: Float64Array,
  normalized: Float64Array,
  scale: Float64Array,
): Float64Array {
  const width = normalized.length / scale.length;
  const result = new Float64Array(normalized.length);
  scale.forEach((size, row) => {
    let mean = 0;
    let along = 0;
    for (let i = row * width; i < (row + 1) * width; i += 1) {
      mean += dNormalized[i]! / width;
      along += (dNormalized[i]! * normalized[i]!) / width;
    }
    for (let i = row * width; i < (row + 1) * width; i += 1) {
      result[i] = (dNormalized[i]! - mean - normalized[i]! * along) / size;
    }
  });
  return result;
}

const SLOPE = Math.sqrt(2 / Math.PI);

/** GELU in GPT-2's form: x/2 · (1 + tanh(√(2/π)(x + 0.044715x³))). */
export function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(SLOPE * (x + 0.044715 * x ** 3)));
}

/** The derivative of {@link gelu}. */
export function geluSlope(x: number): number {
  const t = Math.tanh(SLOPE * (x + 0.044715 * x ** 3));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * SLOPE * (1 + 3 * 0.044715 * x * x);
}

/** log Σ exp of the finite values; −∞ of none. */
function logSumExp(values: Float64Array): number {
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (largest === -Infinity) return -Infinity;
  return largest + Math.log(values.reduce((total, value) => total + Math.exp(value - largest), 0));
}

/** The logarithm of the softmax of each row of `width`. */
export function logSoftmax(x: Float64Array, width: number): Float64Array {
  const result = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    const row = x.subarray(start, start + width);
    const total = logSumExp(row);
    row.forEach((value, j) => (result[start + j] = value - total));
  }
  return result;
}
