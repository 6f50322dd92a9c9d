import { FUSED } from "../../ops/fused";
import { input, number, registerFused } from "../kernel";

export function registerLayerNorm(): void {
  registerFused(FUSED.layerNorm, (inputs, attributes, heap) => {
    const x = input(inputs, "x");
    const out = heap.allocate(x.shape);
    normalise(
      heap.floats(x),
      heap.floats(input(inputs, "weight")),
      heap.floats(input(inputs, "bias")),
      heap.floats(out),
      number(attributes, "epsilon"),
    );
    return out;
  });
  registerFused(FUSED.layerNormGrad, (inputs, attributes, heap) => {
    const x = input(inputs, "x");
    const weight = input(inputs, "weight");
    const outputs = [x, weight, weight].map(({ shape }) => heap.allocate(shape));
    const [dx, dWeight, dBias] = outputs.map((info) => heap.floats(info)) as Three;
    const dy = heap.floats(input(inputs, "dy"));
    gradient(heap.floats(x), heap.floats(weight), dy, dx, dWeight, dBias, number(attributes, "epsilon"));
    return outputs;
  });
}

type Three = [Float32Array, Float32Array, Float32Array];

function normalise(
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  y: Float32Array,
  epsilon: number,
): void {
  const width = weight.length;
  for (let row = 0; row < x.length; row += width) {
    const mean = meanOf(x, row, width);
    const inverse = inverseScale(x, row, width, mean, epsilon);
    for (let i = 0; i < width; i++) y[row + i] = (x[row + i]! - mean) * inverse * weight[i]! + bias[i]!;
  }
}

function meanOf(x: Float32Array, row: number, width: number): number {
  let sum = 0;
  for (let i = row; i < row + width; i++) sum += x[i]!;
  return sum / width;
}

function inverseScale(x: Float32Array, row: number, width: number, mean: number, epsilon: number): number {
  let squares = 0;
  for (let i = row; i < row + width; i++) {
    const centred = x[i]! - mean;
    squares += centred * centred;
  }
  return 1 / Math.sqrt(squares / width + epsilon);
}

function gradient(
  x: Float32Array,
  weight: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  dWeight: Float32Array,
  dBias: Float32Array,
  epsilon: number,
): void {
  const width = weight.length;
  dWeight.fill(0);
  dBias.fill(0);
  for (let row = 0; row < x.length; row += width) {
    const mean = meanOf(x, row, width);
    const inverse = inverseScale(x, row, width, mean, epsilon);
    let sum = 0;
    let dot = 0;
    for (let i = 0; i < width; i++) {
      const slope = dy[row + i]!;
      const normalized = (x[row + i]! - mean) * inverse;
      dWeight[i] = dWeight[i]! + slope * normalized;
      dBias[i] = dBias[i]! + slope;
      sum += slope * weight[i]!;
      dot += slope * weight[i]! * normalized;
    }
    sum /= width;
    dot /= width;
    for (let i = 0; i < width; i++) {
      const normalized = (x[row + i]! - mean) * inverse;
      dx[row + i] = (dy[row + i]! * weight[i]! - sum - normalized * dot) * inverse;
    }
  }
}
