import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { messageOf } from "@alignscope/base/errors";
import { ATTENTION } from "./attention.js";
import { GELU } from "./gelu.js";
import { LAYER_NORM } from "./layer-norm.js";
import { OPTIMISER } from "./optimiser.js";
import { PAST } from "./past.js";
import { PRODUCTS } from "./products.js";
import { SOFTMAX } from "./softmax.js";
import { SUMS } from "./sums.js";
import { RESTS } from "./wat.js";

/*
 * A small WebAssembly module of our own that works on the backend's memory, four floats at a time. JavaScript's loops take
 * four to ten times as long: they have no vectors, and compute in float64.
 */

/** Operands with the distances between their rows, and the sizes. */
type Product = [
  a: number,
  aRow: number,
  b: number,
  bRow: number,
  c: number,
  cRow: number,
  m: number,
  n: number,
  k: number,
];

/** What the module exports: addresses are bytes from the heap's beginning, counts are floats. Each is described in its text. */
export interface Simd {
  maxOf(x: number, count: number): number;
  sumExp(x: number, count: number, top: number): number;
  scaledExp(x: number, y: number, count: number, high: number, low: number, factor: number): void;
  biasGelu(x: number, bias: number, post: number, rows: number, width: number): void;
  geluGrad(pre: number, dy: number, dx: number, count: number): void;
  layerNorm(
    x: number,
    weight: number,
    bias: number,
    y: number,
    rows: number,
    width: number,
    epsilon: number,
  ): void;
  layerNormGrad(
    x: number,
    weight: number,
    dy: number,
    dx: number,
    dWeight: number,
    dBias: number,
    rows: number,
    width: number,
    epsilon: number,
  ): void;
  softmax(scores: number, pad: number, queries: number, keys: number, scale: number): void;
  softmaxGrad(pattern: number, slopes: number, queries: number, keys: number, scale: number): void;
  attendOne(
    q: number,
    k: number,
    v: number,
    z: number,
    scores: number,
    pads: number,
    batch: number,
    heads: number,
    keys: number,
    dHead: number,
    qStep: number,
    kStep: number,
    stride: number,
    scoresStep: number,
    scale: number,
  ): void;
  attendPastGrad(
    qkv: number,
    k: number,
    v: number,
    pattern: number,
    dz: number,
    dQkv: number,
    factors: number,
    pads: number,
    batch: number,
    heads: number,
    keys: number,
    dHead: number,
    kStep: number,
    scale: number,
  ): void;
  squaredFactors(factors: number, mask: number, heads: number, keys: number, dHead: number): number;
  stepPast(
    k: number,
    v: number,
    factors: number,
    mask: number,
    heads: number,
    keys: number,
    dHead: number,
    factor: number,
  ): void;
  multiplyTransposed(...product: Product): void;
  multiply(...product: [...Product, hop: number]): void;
  scatterAdd(rows: number, ids: number, table: number, count: number, width: number): void;
  rmsProp(
    parameter: number,
    meanSquare: number,
    gradient: number,
    count: number,
    decay: number,
    fresh: number,
    rate: number,
    epsilon: number,
  ): void;
}

/** The module's text. */
const TEXT = `(module
  (import "backend" "memory" (memory 1))
  ${[RESTS, SOFTMAX, ATTENTION, PAST, PRODUCTS, LAYER_NORM, GELU, SUMS, OPTIMISER].join("\n")})`;

/**
 * The SIMD kernels on a backend's memory, or the reason why there are none: the fused kernels are then JavaScript loops.
 * ALIGNSCOPE_SIMD=none does without.
 */
export async function openSimd(backend: BackendWasm): Promise<{ simd: Simd | null; reason: string }> {
  if (process.env["ALIGNSCOPE_SIMD"] === "none") return { simd: null, reason: "ALIGNSCOPE_SIMD=none" };
  const { asm, HEAPU8 } = backend.wasm as unknown as { asm?: { memory?: unknown }; HEAPU8: Uint8Array };
  const memory = asm?.memory;
  if (!(memory instanceof WebAssembly.Memory) || memory.buffer !== HEAPU8.buffer) {
    return { simd: null, reason: "no SIMD kernels: this build of the wasm backend does not show its memory" };
  }
  try {
    const { instance } = await WebAssembly.instantiate(await assemble(), { backend: { memory } });
    return { simd: instance.exports as unknown as Simd, reason: "" };
  } catch (error) {
    return { simd: null, reason: `no SIMD kernels: ${messageOf(error).split("\n")[0]}` };
  }
}

async function assemble(): Promise<Uint8Array<ArrayBuffer>> {
  const { default: wabt } = await import("wabt");
  const module = (await wabt()).parseWat("kernels.wat", TEXT, {
    simd: true,
    bulk_memory: true,
    multi_value: true,
  });
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}
