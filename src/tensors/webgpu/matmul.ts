import * as tf from "@tensorflow/tfjs-core";
import type { DeviceBackend } from "./device.js";
import { floatOutput, refine, sizeOf, take, type Call } from "./kernels/define.js";
import {
  keyOf,
  productProgram,
  sumOfPartsProgram,
  type Epilogue,
  type Tile,
  type Variant,
} from "./matmul-wgsl.js";
import { programOf, run, spread } from "./run.js";

/*
 * The matrix product of the webgpu backend, replaced: one tiled kernel in four sizes, chosen by shape.
 *
 * A GPU of the H100's class has 132 multiprocessors. A product with fewer tiles than that is computed in smaller tiles,
 * and then in parts along k, which a second pass adds up in their order (tfjs' own program adds atomically: other bits
 * in every run).
 */

/** Tiles by the number of rows they are for. */
export const TILES = {
  /** A token or a few: what counts is to read the weights once. 64 invocations. */
  token: { rows: 8, columns: 128, step: 32, ownRows: 4, ownColumns: 4 },
  /** A batch of tokens. 128 invocations. */
  batch: { rows: 32, columns: 64, step: 32, ownRows: 4, ownColumns: 4 },
  /** 128 invocations. */
  middle: { rows: 64, columns: 64, step: 32, ownRows: 8, ownColumns: 4 },
  /** 256 invocations. */
  large: { rows: 128, columns: 128, step: 32, ownRows: 8, ownColumns: 8 },
} as const satisfies Record<string, Tile>;

/** From so many large tiles on, every multiprocessor has one. */
const ENOUGH_LARGE = 128;
/** Workgroups that a product is split into, where it has the length for it: two for every multiprocessor. */
const ENOUGH = 256;
/** No part along k is shorter: its sums have to be worth writing out and adding up. */
const SHORTEST_PART = 128;

/** How a product is computed. */
export interface Plan {
  tile: Tile;
  /** Parts along k. */
  splits: number;
}

/** The plan for `batch` products of m × k and k × n. It depends on shapes alone, and so do the bits of the result. */
export function planOf(m: number, n: number, k: number, batch: number): Plan {
  const tilesOf = ({ rows, columns }: Tile): number => batch * Math.ceil(m / rows) * Math.ceil(n / columns);
  const tile =
    m <= TILES.token.rows
      ? TILES.token
      : m <= TILES.batch.rows
        ? TILES.batch
        : tilesOf(TILES.large) >= ENOUGH_LARGE
          ? TILES.large
          : TILES.middle;
  const wanted = Math.floor(ENOUGH / tilesOf(tile));
  return { tile, splits: Math.max(1, Math.min(wanted, Math.floor(k / SHORTEST_PART))) };
}

export interface Product {
  a: tf.TensorInfo;
  b: tf.TensorInfo;
  transposeA?: boolean;
  transposeB?: boolean;
  /** `[n]`, for every epilogue but none. */
  bias?: tf.TensorInfo;
  epilogue?: Epilogue;
  /** Instead of the plan that fits. */
  plan?: Plan;
}

/**
 * Multiplies matrices, or batches of them: a `[…, m, k]` and b `[…, k, n]` (the last two swapped where transposed), each
 * with the same leading sizes or with one matrix for all.
 *
 * @returns `[…, m, n]`, and with the epilogue geluKeep also the sums before the activation
 */
export function product(backend: DeviceBackend, operands: Product): tf.TensorInfo[] {
  const { a, b, transposeA = false, transposeB = false, bias, epilogue = "none" } = operands;
  const shape = shapeOf(a, b, transposeA, transposeB);
  if (!shape) throw new Error(`matMul: [${a.shape}] and [${b.shape}] cannot be multiplied`);
  const { m, n, k, batch, strideA, strideB, outShape } = shape;
  const outputs = [outShape, ...(epilogue === "geluKeep" ? [outShape] : [])].map((wanted) =>
    floatOutput(backend, wanted),
  );
  if (batch * m * n === 0) return outputs;
  if (k === 0) throw new Error(`matMul: [${a.shape}] and [${b.shape}] have nothing to sum over`);
  const { tile, splits: wanted } = operands.plan ?? planOf(m, n, k, batch);
  const chunk = Math.ceil(k / wanted / tile.step) * tile.step;
  const splits = Math.ceil(k / chunk);
  const fourOut = n % 4 === 0;
  const variant: Variant = {
    tile,
    transposeA,
    transposeB,
    fourA: (transposeA ? m : k) % 4 === 0,
    fourB: (transposeB ? k : n) % 4 === 0,
    fourOut,
    epilogue: splits > 1 ? "none" : epilogue,
  };
  const ends = [...(bias ? [bias] : []), ...outputs];
  const parts = splits > 1 ? floatOutput(backend, [splits * batch, m, n]) : null;
  const tensors = [a, b, ...(parts ? [parts] : ends)];
  const tilesAlong = [Math.ceil(m / tile.rows), Math.ceil(n / tile.columns)] as [number, number];
  // Neighbours share the operand that has more tiles: the other one stays in the cache.
  const rowsFirst = tilesAlong[0] <= tilesAlong[1];
  const [x, y] = rowsFirst ? tilesAlong : [tilesAlong[1], tilesAlong[0]];
  const program = programOf(keyOf(variant), () => productProgram(variant));
  const parameters = { m, n, k, strideA, strideB, batch, splits, chunk, rowsFirst: Number(rowsFirst) };
  const most = backend.limits.maxWorkgroupsPerDimension;
  for (let from = 0; from < batch * splits; from += most)
    run(backend, program, tensors, { ...parameters, firstZ: from }, [
      x,
      y,
      Math.min(most, batch * splits - from),
    ]);
  if (parts) {
    addUp(backend, [parts, ...ends], epilogue, { n, elements: batch * m * n, splits });
    backend.disposeData(parts.dataId);
  }
  return outputs;
}

function addUp(
  backend: DeviceBackend,
  tensors: tf.TensorInfo[],
  epilogue: Epilogue,
  parameters: { n: number; elements: number; splits: number },
): void {
  const four = parameters.n % 4 === 0;
  const program = programOf(`sumOfParts ${epilogue}${four ? " by four" : ""}`, () =>
    sumOfPartsProgram(epilogue, four),
  );
  const invocations = parameters.elements / (four ? 4 : 1);
  run(backend, program, tensors, parameters, spread(backend, Math.ceil(invocations / program.workgroup)));
}

interface Shape {
  m: number;
  n: number;
  k: number;
  batch: number;
  strideA: number;
  strideB: number;
  outShape: number[];
}

/** Sizes and strides of a product; null where our kernel does not do it. */
function shapeOf(a: tf.TensorInfo, b: tf.TensorInfo, transposeA: boolean, transposeB: boolean): Shape | null {
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [kB, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  if (k !== kB) return null;
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const [batch, batchA, batchB] = [outer, outerA, outerB].map((sizes) => tf.util.sizeFromShape(sizes)) as [
    number,
    number,
    number,
  ];
  if ((batchA !== batch && batchA !== 1) || (batchB !== batch && batchB !== 1)) return null;
  return {
    m,
    n,
    k,
    batch,
    strideA: batchA === 1 ? 0 : m * k,
    strideB: batchB === 1 ? 0 : k * n,
    outShape: [...outer, m, n],
  };
}

/** Registers BatchMatMul and _FusedMatMul; what the kernel here does not do is left to the shipped ones. */
export function registerMatMul(): void {
  for (const name of ["BatchMatMul", "_FusedMatMul"]) {
    refine(name, (call) => {
      const operands = productOf(call);
      return operands && (product(call.backend, operands)[0] as tf.TensorInfo);
    });
  }
}

function productOf({ inputs, attrs }: Call): Product | null {
  const [a, b, bias] = [take(inputs, "a"), take(inputs, "b"), inputs["bias"]];
  const [transposeA, transposeB] = [Boolean(attrs["transposeA"]), Boolean(attrs["transposeB"])];
  const activation = attrs["activation"];
  if (a.dtype !== "float32" || b.dtype !== "float32" || (activation && activation !== "linear")) return null;
  const shape = shapeOf(a, b, transposeA, transposeB);
  if (!shape || shape.k === 0 || (bias && sizeOf(bias) !== shape.n)) return null;
  return { a, b, transposeA, transposeB, ...(bias ? { bias, epilogue: "bias" } : {}) };
}
