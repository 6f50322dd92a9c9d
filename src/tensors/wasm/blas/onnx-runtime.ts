import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import type { Blas, Sgemm } from "./blas.js";
import { gemmModel } from "./onnx-model.js";

/*
 * The matrix product of ONNX Runtime, which comes with transformers.js as a binary for each platform: as fast as a good BLAS,
 * on a machine where nobody has installed one. Its public interface only makes promises; the object underneath answers at
 * once, reads and writes the memory it is given, and is what this file uses. So it is tried out before it is believed.
 */

/** A call takes some 50 microseconds to begin; the SIMD kernels do this many multiplications meanwhile. */
const WORTH_A_CALL = 2 ** 18;

/** The parts of the binding that are used, as of onnxruntime-node 1.24 to 1.30. */
interface Binding {
  InferenceSession: new () => Session;
}

interface Session {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  run(feeds: Record<string, unknown>, fetches: Record<string, unknown>, options: object): unknown;
}

type TensorOf = new (type: "float32", data: Float32Array, shape: number[]) => object;

/** @throws when the runtime is not installed, has no binary for this platform, or does not multiply as it should. */
export function openOnnxRuntime(): Blas {
  const require = createRequire(import.meta.url);
  const entry = require.resolve("onnxruntime-node");
  const { binding, initOrt } = require(join(dirname(entry), "binding.js")) as {
    binding: Binding;
    initOrt: () => void;
  };
  const { Tensor } = createRequire(entry)("onnxruntime-common") as { Tensor: TensorOf };
  initOrt();
  const threads = threadCount();
  const sgemm = productOf(binding, Tensor, threads);
  tryOut(sgemm);
  const { version } = JSON.parse(readFileSync(join(dirname(entry), "..", "package.json"), "utf8")) as {
    version: string;
  };
  return { name: `ONNX Runtime ${version}`, file: entry, threads, sgemm, worthACall: WORTH_A_CALL };
}

function threadCount(): number {
  const limit = Number(process.env["OPENBLAS_NUM_THREADS"]);
  return limit >= 1 ? Math.min(Math.floor(limit), availableParallelism()) : availableParallelism();
}

function productOf(binding: Binding, Tensor: TensorOf, threads: number): Sgemm {
  const sessions = new Map<string, Session>();
  const sessionFor = (transposeA: boolean, transposeB: boolean, plus: boolean): Session => {
    const key = [transposeA, transposeB, plus].join();
    let session = sessions.get(key);
    if (!session) {
      session = new binding.InferenceSession();
      const model = gemmModel(transposeA, transposeB, plus);
      session.loadModel(model.buffer, 0, model.length, {
        intraOpNumThreads: threads,
        // Threads that wait for the next product in a loop would take the processor from everything between two.
        extra: { session: { intra_op: { allow_spinning: "0" } } },
        enableCpuMemArena: false,
        graphOptimizationLevel: "disabled",
      });
      sessions.set(key, session);
    }
    return session;
  };

  return (transposeA, transposeB, m, n, k, a, lda, b, ldb, beta, c, ldc) => {
    const left = packed(a, transposeA ? k : m, transposeA ? m : k, lda, 0);
    const right = packed(b, transposeB ? n : k, transposeB ? k : n, ldb, 1);
    const direct = ldc === n;
    const product = direct ? c.subarray(0, m * n) : room(2, m * n);
    if (!direct && beta !== 0) copyRows(c, ldc, product, n, m, n);
    const to = new Tensor("float32", product, [m, n]);
    const feeds = {
      a: new Tensor("float32", left, transposeA ? [k, m] : [m, k]),
      b: new Tensor("float32", right, transposeB ? [n, k] : [k, n]),
      ...(beta === 0 ? {} : { plus: to }),
    };
    sessionFor(transposeA, transposeB, beta !== 0).run(feeds, { c: to }, {});
    if (!direct) copyRows(product, n, c, ldc, m, n);
  };
}

/** Room for an operand whose rows have gaps, one for each place in the product; it grows, and stays. */
const rooms: Float32Array[] = [];

function room(place: number, length: number): Float32Array {
  let there = rooms[place];
  if (!there || there.length < length) rooms[place] = there = new Float32Array(2 * length);
  return there.subarray(0, length);
}

/** The matrix as the runtime wants it, without gaps between rows. */
function packed(
  matrix: Float32Array,
  rows: number,
  columns: number,
  stride: number,
  place: number,
): Float32Array {
  if (stride === columns) return matrix.subarray(0, rows * columns);
  const tight = room(place, rows * columns);
  copyRows(matrix, stride, tight, columns, rows, columns);
  return tight;
}

function copyRows(
  from: Float32Array,
  fromStride: number,
  to: Float32Array,
  toStride: number,
  rows: number,
  columns: number,
): void {
  for (let row = 0; row < rows; row++) {
    const [source, target] = [row * fromStride, row * toStride];
    for (let column = 0; column < columns; column++) to[target + column] = from[source + column]!;
  }
}

/** A product in every form, in place and with a distance between rows, held against sums made here. */
function tryOut(sgemm: Sgemm): void {
  const [m, n, k, ldc] = [3, 4, 5, 6];
  const a = Float32Array.from({ length: m * k }, (_, i) => i - 7);
  const b = Float32Array.from({ length: n * k }, (_, i) => 3 - i);
  for (const [ta, tb, beta] of [
    [false, false, 0],
    [false, true, 1],
    [true, false, 1],
    [true, true, 0],
  ] as const) {
    const c = new Float32Array(m * ldc).fill(2);
    sgemm(ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, beta, c, ldc);
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 2 * beta;
        for (let i = 0; i < k; i++) {
          sum += (ta ? a[i * m + row]! : a[row * k + i]!) * (tb ? b[column * k + i]! : b[i * n + column]!);
        }
        if (c[row * ldc + column] !== sum)
          throw new Error("ONNX Runtime multiplies in a way that is not known here");
      }
    }
  }
}
