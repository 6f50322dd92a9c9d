import * as tf from "@tensorflow/tfjs-core";

/*
 * The few operations of a transformer that are worth more than a composition of tfjs' own: each is one function with a
 * gradient of its own. Where a backend has registered a fused kernel under the name below, it runs that; elsewhere the
 * plain composition, which the tests hold the fused kernels against.
 */

/** Kernels that a backend may register. */
export const FUSED = {
  layerNorm: "FusedLayerNorm",
  layerNormGrad: "FusedLayerNormGrad",
  geluGrad: "FusedGeluGrad",
  subtractAt: "FusedSubtractAt",
  pickAt: "FusedPickAt",
  gatherRows: "FusedGatherRows",
  scatterAdd: "FusedScatterAdd",
  splitHeads: "FusedSplitHeads",
  joinHeads: "FusedJoinHeads",
  softmaxGrad: "FusedSoftmaxGrad",
} as const;

function hasKernel(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

function run<T extends tf.Tensor | tf.Tensor[]>(
  name: string,
  inputs: Record<string, tf.Tensor>,
  attrs: object = {},
): T {
  return tf.engine().runKernel<T>(name, inputs, attrs as tf.NamedAttrMap);
}

/** Sums the rows of `x` [rows, width] to [width]; a product with ones is faster than a reduction everywhere. */
function sumRows(x: tf.Tensor2D): tf.Tensor1D {
  return tf.reshape(tf.matMul(tf.ones([1, x.shape[0]]), x), [x.shape[1]]);
}

/**
 * `x·weight + bias` in the layout of GPT-2's Conv1D.
 *
 * @param x `[rows, in]`
 * @param weight `[in, out]`
 * @param bias `[out]`
 * @returns `[rows, out]`
 */
export function linear(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  const op = tf.customGrad((...args) => {
    const [input, w, b, save] = args as unknown as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D, tf.GradSaveFunc];
    save([input, w]);
    return {
      value: tf.fused.matMul({ a: input, b: w, bias: b }),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [savedInput, savedWeight] = saved as [tf.Tensor2D, tf.Tensor2D];
        const slope = dy as tf.Tensor2D;
        return [
          tf.matMul(slope, savedWeight, false, true),
          tf.matMul(savedInput, slope, true, false),
          sumRows(slope),
        ];
      },
    };
  });
  return op(x, weight, bias) as tf.Tensor2D;
}

/**
 * Layer normalisation over the last axis.
 *
 * @param x `[rows, width]`
 * @param weight `[width]`
 * @param bias `[width]`
 */
export function layerNorm(
  x: tf.Tensor2D,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  epsilon: number,
): tf.Tensor2D {
  if (!hasKernel(FUSED.layerNorm)) return layerNormParts(x, weight, bias, epsilon).output;
  const op = tf.customGrad((...args) => {
    const [input, w, b, save] = args as unknown as [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D, tf.GradSaveFunc];
    save([input, w]);
    return {
      value: run<tf.Tensor>(FUSED.layerNorm, { x: input, weight: w, bias: b }, { epsilon }),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [savedInput, savedWeight] = saved as [tf.Tensor, tf.Tensor];
        return run<tf.Tensor[]>(FUSED.layerNormGrad, { x: savedInput, weight: savedWeight, dy }, { epsilon });
      },
    };
  });
  return op(x, weight, bias) as tf.Tensor2D;
}

/** {@link layerNorm} in its parts, for hooks: the scale `[rows, 1]`, the normalised input and the output. */
export function layerNormParts(
  x: tf.Tensor2D,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  epsilon: number,
): { scale: tf.Tensor2D; normalized: tf.Tensor2D; output: tf.Tensor2D } {
  const centred: tf.Tensor2D = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean<tf.Tensor2D>(tf.square(centred), -1, true);
  const scale = tf.sqrt<tf.Tensor2D>(tf.add<tf.Tensor2D>(variance, epsilon));
  const normalized = tf.div<tf.Tensor2D>(centred, scale);
  const output = tf.add<tf.Tensor2D>(tf.mul(normalized, weight), bias);
  return { scale, normalized, output };
}

const SQRT_8_OVER_PI = 2 * Math.sqrt(2 / Math.PI);

/**
 * GELU in GPT-2's tanh form (`gelu_new`), written as `x·σ(2√(2/π)(x + 0.044715x³))`: the same function, since
 * (1 + tanh u)/2 = σ(2u), with a kernel that is twenty times faster on wasm.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  const gate = (input: tf.Tensor): tf.Tensor => {
    const cubic = tf.mul(input, tf.add(tf.mul(tf.square(input), 0.044715 * SQRT_8_OVER_PI), SQRT_8_OVER_PI));
    return tf.sigmoid(cubic);
  };
  if (!hasKernel(FUSED.geluGrad)) return tf.mul(x, gate(x));
  const op = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    const opened = gate(input);
    save([input, opened]);
    return {
      value: tf.mul(input, opened),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [savedInput, savedGate] = saved as [tf.Tensor, tf.Tensor];
        return run<tf.Tensor>(FUSED.geluGrad, { x: savedInput, gate: savedGate, dy });
      },
    };
  });
  return op(x) as T;
}

/**
 * Rows of a table.
 *
 * @param table `[rows, width]`
 * @param ids int32 `[n]`
 * @returns `[n, width]`
 */
export function embed(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  if (!hasKernel(FUSED.scatterAdd)) return tf.gather(table, ids);
  const op = tf.customGrad((...args) => {
    const [rows, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    save([ids]);
    return {
      value: run<tf.Tensor>(FUSED.gatherRows, { table: rows, ids }),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        run<tf.Tensor>(FUSED.scatterAdd, { rows: dy, ids: saved[0] as tf.Tensor }, { length: rows.shape[0] }),
    };
  });
  return op(table) as tf.Tensor2D;
}

/**
 * Cross-entropy of each row's target.
 *
 * @param logits `[rows, classes]`
 * @param targets int32 `[rows]`
 * @returns −log p(target) per row, `[rows]`
 */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D {
  if (!hasKernel(FUSED.subtractAt)) {
    const chosen = tf.oneHot(targets, logits.shape[1]);
    return tf.neg(tf.sum<tf.Tensor1D>(tf.mul(tf.logSoftmax(logits), chosen), -1));
  }
  const op = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    const probabilities = tf.softmax(input);
    save([probabilities, targets]);
    return {
      value: run<tf.Tensor>(FUSED.pickAt, { logits: input, probabilities, targets }),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        run<tf.Tensor>(FUSED.subtractAt, {
          probabilities: saved[0] as tf.Tensor,
          targets: saved[1] as tf.Tensor,
          dy,
        }),
    };
  });
  return op(logits) as tf.Tensor1D;
}

/**
 * Queries, keys and values of all heads.
 *
 * @param qkv `[batch·position, 3·dModel]`
 * @returns three of `[batch, head, position, dHead]`
 */
export function splitHeads(
  qkv: tf.Tensor2D,
  batch: number,
  heads: number,
): [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D] {
  const width = qkv.shape[1] / 3;
  const part = (index: number): tf.Tensor4D => {
    const own = tf.slice(qkv, [0, index * width], [-1, width]);
    return tf.transpose(tf.reshape<tf.Rank.R4>(own, [batch, -1, heads, width / heads]), [0, 2, 1, 3]);
  };
  return [part(0), part(1), part(2)];
}

/** Heads side by side again: `[batch, head, position, dHead]` to `[batch·position, dModel]`. */
export function joinHeads(z: tf.Tensor4D): tf.Tensor2D {
  const [batch, heads, positions, dHead] = z.shape;
  return tf.reshape(tf.transpose(z, [0, 2, 1, 3]), [batch * positions, heads * dHead]);
}

/**
 * Softmax attention of all heads in one operation.
 *
 * @param qkv `[batch·position, 3·dModel]`
 * @param bias added to the scaled scores, `[1 or batch, 1, query, key]`
 * @returns `[batch·position, dModel]`
 */
export function attention(qkv: tf.Tensor2D, bias: tf.Tensor4D, batch: number, heads: number): tf.Tensor2D {
  const scale = 1 / Math.sqrt(qkv.shape[1] / 3 / heads);
  const attend = (q: tf.Tensor, k: tf.Tensor): tf.Tensor4D =>
    tf.softmax(tf.add<tf.Tensor4D>(tf.mul(tf.matMul(q, k, false, true), scale), bias));
  if (!hasKernel(FUSED.splitHeads)) {
    const [q, k, v] = splitHeads(qkv, batch, heads);
    return joinHeads(tf.matMul(attend(q, k), v));
  }
  const op = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    const [q, k, v] = run<tf.Tensor4D[]>(FUSED.splitHeads, { qkv: input }, { batch, heads }) as Three;
    const pattern = attend(q, k);
    save([q, k, v, pattern]);
    return {
      value: joinHeads(tf.matMul(pattern, v)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [sq, sk, sv, sp] = saved as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        const dz = tf.transpose(tf.reshape(dy, [batch, -1, heads, sq.shape[3]]), [0, 2, 1, 3]);
        const dPattern = tf.matMul(dz, sv, false, true);
        const dScores = run<tf.Tensor>(FUSED.softmaxGrad, { pattern: sp, dy: dPattern }, { scale });
        const dq = tf.matMul(dScores, sk);
        const dk = tf.matMul(dScores, sq, true, false);
        const dv = tf.matMul(sp, dz, true, false);
        return run<tf.Tensor>(FUSED.joinHeads, { q: dq, k: dk, v: dv });
      },
    };
  });
  return op(qkv);
}

type Three = [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
