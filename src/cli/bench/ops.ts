import * as tf from "@tensorflow/tfjs-core";
import { mulberry32 } from "@alignscope/base/random";
import {
  attentionMask,
  crossEntropy,
  embed,
  joinedAttention,
  layerNorm,
  linear,
  linearGelu,
} from "@alignscope/tensors/ops";
import { productFlops } from "./flops.js";
import {
  plainAttention,
  plainCrossEntropy,
  plainEmbed,
  plainGelu,
  plainLayerNorm,
  plainLinear,
} from "./plain.js";
import type { Setting } from "./model.js";
import { resultOf, type BenchResult } from "./result.js";
import { configOf, noise, randomIds } from "./shapes.js";
import { time, type Pass } from "./timing.js";

/** Passes of microseconds are repeated until a measurement takes this long. */
const FILL_SECONDS = 0.05;
const LARGEST_CEILING = 4096;

/**
 * The largest speed that this backend's matrix product shows: of square matrices, doubled in size until a product takes
 * a tenth of a second.
 */
export async function benchCeiling(
  repetitions: number,
  onResult: (result: BenchResult) => void,
): Promise<number> {
  for (let size = 256; ; size *= 2) {
    const [a, b] = [noise([size, size]), noise([size, size])];
    const pass: Pass = () => tf.matMul(a, b);
    const trial = await time(pass, { repetitions: 1 });
    if (trial.secondsPerPass < 0.1 && size < LARGEST_CEILING) {
      tf.dispose([a, b]);
      continue;
    }
    const timing = await time(pass, { repetitions, fillSeconds: FILL_SECONDS });
    tf.dispose([a, b]);
    const flops = productFlops(size, size, size);
    const shape = `${size}×${size}·${size}×${size}`;
    const work = { name: "matmul ceiling", shape, batch: 1, positions: size, tokens: null, flops };
    const result = resultOf({ ...work, ceilingGflops: flops / timing.secondsPerPass / 1e9 }, timing);
    onResult(result);
    return result.gflops ?? Number.NaN;
  }
}

type Size = [rows: number, columns: number];
type Inputs = [tf.Tensor, tf.Tensor, tf.Tensor];
type Function3 = (...inputs: Inputs) => tf.Tensor;

interface Operation {
  name: string;
  /** The tensors that gradients are taken by: as many as the functions read. */
  inputs: tf.Tensor[];
  /** What else is to be disposed of. */
  others?: tf.Tensor[];
  /** The library's own. */
  own: Function3;
  /** The composition of tfjs' operations that it takes the place of. */
  plain?: Function3;
  /** Of the forward pass' matrix products, if any. */
  flops?: number;
  /** Whether the gradient is timed as well. */
  backward?: boolean;
}

/** Times the operations of one block and of the loss at the model's shape, for batch × positions tokens. */
export async function benchOps(
  setting: Setting & { batch: number; positions: number },
  onResult: (result: BenchResult) => void,
): Promise<void> {
  const { batch, positions, repetitions } = setting;
  const timing = { repetitions, fillSeconds: FILL_SECONDS };
  for (const make of operations(setting)) {
    const { name, inputs, others = [], own, plain, flops, backward } = make();
    for (const both of backward ? [false, true] : [false]) {
      const passOf = (op: Function3): Pass => (both ? gradientPass(op, inputs) : forwardPass(op, inputs));
      const ownTiming = await time(passOf(own), timing);
      const work = {
        ...setting,
        name: both ? `${name} forward+backward` : name,
        tokens: batch * positions,
        flops: flops === undefined ? null : both ? 3 * flops : flops,
      };
      const result = resultOf(work, ownTiming);
      if (plain) {
        const plainTiming = await time(passOf(plain), timing);
        result.plainOverOwn = plainTiming.secondsPerPass / ownTiming.secondsPerPass;
      }
      onResult(result);
    }
    tf.dispose([...inputs, ...others]);
  }
}

function forwardPass(op: Function3, inputs: tf.Tensor[]): Pass {
  return () => tf.tidy(() => op(...(inputs as Inputs)));
}

/** A pass that computes the slopes of all inputs, for a slope of ones, and leaves one of them to wait for. */
function gradientPass(op: Function3, inputs: tf.Tensor[]): Pass {
  const slopes = tf.grads((...args: tf.Tensor[]) => op(...(args as Inputs)));
  return () => {
    const [first, ...others] = slopes(inputs);
    tf.dispose(others);
    return first as tf.Tensor;
  };
}

/** Each is made when its turn comes, so that the inputs of one are in memory at a time. */
function operations({
  shape,
  batch,
  positions,
}: Setting & { batch: number; positions: number }): (() => Operation)[] {
  const config = configOf(shape);
  const { dModel, dMlp, nHead, vocabSize } = config;
  const rows = batch * positions;
  const of = (...dims: number[]): tf.Tensor => noise(dims);
  const tokens = (): tf.Tensor1D =>
    tf.tensor1d(Int32Array.from(randomIds(config, 1, rows, mulberry32(3)).flat()), "int32");
  const product = (name: string, a: Size, b: Size, ta: boolean, tb: boolean) => (): Operation => ({
    name,
    inputs: [of(...a), of(...b)],
    own: (x, y) => tf.matMul(x, y, ta, tb),
    flops: productFlops(ta ? a[1] : a[0], ta ? a[0] : a[1], tb ? b[0] : b[1]),
  });
  return [
    product("matmul", [rows, dModel], [dModel, dMlp], false, false),
    product("matmul transposed-a", [rows, dModel], [rows, dMlp], true, false),
    product("matmul transposed-b", [rows, dMlp], [dModel, dMlp], false, true),
    product("matmul unembedding", [rows, dModel], [vocabSize, dModel], false, true),
    () => ({
      name: "linear",
      inputs: [of(rows, dModel), of(dModel, dMlp), of(dMlp)],
      own: linear as Function3,
      plain: plainLinear as Function3,
      flops: productFlops(rows, dModel, dMlp),
      backward: true,
    }),
    () => ({
      name: "layer-norm",
      inputs: [of(rows, dModel), of(dModel), of(dModel)],
      own: (x, w, b) => layerNorm(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
      plain: (x, w, b) => plainLayerNorm(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
      backward: true,
    }),
    () => ({
      name: "linear-gelu",
      inputs: [of(rows, dModel), of(dModel, dMlp), of(dMlp)],
      own: linearGelu as Function3,
      plain: (x, w, b) => plainGelu(plainLinear(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D)),
      flops: productFlops(rows, dModel, dMlp),
      backward: true,
    }),
    () => {
      const mask = attentionMask(positions, positions, Array<number>(batch).fill(0), true);
      const bias = mask.bias as tf.Tensor4D;
      return {
        name: "attention",
        inputs: [of(rows, 3 * dModel)],
        others: [mask.pads, bias],
        own: (qkv) => joinedAttention(qkv as tf.Tensor2D, mask, nHead),
        plain: (qkv) => plainAttention(qkv as tf.Tensor2D, bias, batch, nHead),
        flops: 2 * productFlops(rows, dModel, positions),
        backward: true,
      };
    },
    () => {
      const targets = tokens();
      return {
        name: "cross-entropy",
        inputs: [of(rows, vocabSize)],
        others: [targets],
        own: (logits) => crossEntropy(logits as tf.Tensor2D, targets),
        plain: (logits) => plainCrossEntropy(logits as tf.Tensor2D, targets),
        backward: true,
      };
    },
    () => {
      const ids = tokens();
      return {
        name: "embedding",
        inputs: [of(vocabSize, dModel)],
        others: [ids],
        own: (table) => embed(table as tf.Tensor2D, ids),
        plain: (table) => plainEmbed(table as tf.Tensor2D, ids),
        backward: true,
      };
    },
  ];
}
