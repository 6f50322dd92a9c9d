import * as tf from "@tensorflow/tfjs-core";
import { differentiable } from "../tape.js";
import { FUSED, hasKernel, runKernel } from "./fused.js";

/*
 * Attention of one new token per row over keys and values that are to be moved along their gradient.
 *
 * With a single query that gradient is an outer product per head: by the key of position j it is dScore_j·q, by its value
 * pattern_j·dz. So it is never made: four short rows per head, its factors, say the same, and a step along it reads and
 * writes keys and values once. An iteration of PPLM would otherwise go over them six times more.
 */

/** What one token looks back at. */
export interface Past {
  /** `[batch, capacity, dModel]`, heads side by side; filled before position `at`. Position `at` is room for the token's own. */
  keys: tf.Tensor3D;
  values: tf.Tensor3D;
  /** The token's position. */
  at: number;
  /** Keys hidden on the left of each row, int32 `[batch]`; none as far as `at`. */
  pads: tf.Tensor1D;
  heads: number;
}

/** Far below any score, and finite. */
const HIDDEN = -1e9;

/** The shape of {@link factorsOf}'s result. */
export function factorsShape({
  keys,
  at,
  heads,
}: Pick<Past, "keys" | "at" | "heads">): [number, number, number] {
  const [batch, , dModel] = keys.shape;
  return [batch, heads, 2 * (at + 1 + dModel / heads)];
}

/**
 * Causal softmax attention of one token per row over its past and itself.
 *
 * @param qkv `[batch, 3·dModel]`
 * @param factors a placeholder, whose values do not matter, `[batch, head, 2·(at + 1 + dHead)]`: what the tape gives as the
 *   gradient by it are the factors of the gradient by keys and values, per head dScores `[at + 1]`, the pattern `[at + 1]`,
 *   q `[dHead]` and dz `[dHead]`. Without it keys and values are constants.
 * @returns z `[batch, dModel]`
 */
export function attendPast(qkv: tf.Tensor2D, past: Past, factors?: tf.Tensor3D): tf.Tensor2D {
  const { keys, values, pads, at, heads } = past;
  return differentiable(factors ? [qkv, factors] : [qkv], (save) => {
    if (hasKernel(FUSED.attendPast)) {
      const [z, pattern] = runKernel<tf.Tensor[]>(
        FUSED.attendPast,
        { qkv, keys, values, pads },
        { at, heads },
      );
      save([qkv, keys, values, pattern as tf.Tensor, pads]);
      let made: tf.Tensor[] | undefined;
      return {
        value: z as tf.Tensor,
        gradient: (dz, saved) => {
          const [input, k, v, weights, hidden] = saved as Five;
          const inputs = { qkv: input, keys: k, values: v, pattern: weights, pads: hidden, dz };
          const both = (): tf.Tensor[] =>
            (made ??= runKernel<tf.Tensor[]>(FUSED.attendPastGrad, inputs, { at, heads }));
          return [() => both()[0] as tf.Tensor, () => both()[1] as tf.Tensor];
        },
      };
    }
    const { q, k, v } = partsOf(qkv, past);
    const pattern = tf.softmax(tf.add(scaledProduct(q, k), visibility(past)));
    save([q, k, v, pattern]);
    return {
      value: tf.reshape(tf.matMul(pattern, v), [keys.shape[0], keys.shape[2]]),
      gradient: (dy, saved) => composedGradient(dy, saved as Saved, past),
    };
  });
}

type Five = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
type Saved = [q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D, pattern: tf.Tensor4D];

function composedGradient(dy: tf.Tensor, [q, k, v, pattern]: Saved, past: Past): tf.Tensor[] {
  const { at, heads } = past;
  const dz = headsOf(tf.reshape(dy, [q.shape[0], 1, -1]), heads);
  const slopes = tf.matMul(dz, v, false, true);
  const mean = tf.sum(tf.mul(slopes, pattern), -1, true);
  const dScores = tf.mul(tf.mul(tf.sub(slopes, mean), pattern), 1 / Math.sqrt(q.shape[3]));
  const own = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, 0, 0, at], [-1, -1, -1, 1]);
  const flat = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [q.shape[0], -1]);
  const dqkv = tf.concat(
    [tf.matMul(dScores, k), tf.mul(own(dScores), q), tf.mul(own(pattern), dz)].map(flat),
    1,
  );
  return [dqkv, tf.squeeze(tf.concat([dScores, pattern, q, dz], -1), [2])];
}

function partsOf(qkv: tf.Tensor2D, { keys, values, at, heads }: Past): Record<"q" | "k" | "v", tf.Tensor4D> {
  const [batch, , dModel] = keys.shape;
  const part = (i: number): tf.Tensor3D =>
    tf.reshape(tf.slice(qkv, [0, i * dModel], [-1, dModel]), [batch, 1, dModel]);
  const filled = (x: tf.Tensor3D): tf.Tensor3D => tf.slice(x, [0, 0, 0], [-1, at, -1]);
  return {
    q: headsOf(part(0), heads),
    k: headsOf(tf.concat([filled(keys), part(1)], 1), heads),
    v: headsOf(tf.concat([filled(values), part(2)], 1), heads),
  };
}

function headsOf(x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [batch, positions, width] = x.shape;
  return tf.transpose(tf.reshape<tf.Rank.R4>(x, [batch, positions, heads, width / heads]), [0, 2, 1, 3]);
}

function scaledProduct(q: tf.Tensor4D, k: tf.Tensor4D): tf.Tensor4D {
  return tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(q.shape[3]));
}

/** Added to scores `[batch, head, 1, at + 1]`. */
function visibility({ pads, at }: Past): tf.Tensor4D {
  const hidden = tf.less(tf.range(0, at + 1, 1, "int32"), tf.reshape(pads, [-1, 1, 1, 1]));
  return tf.mul(tf.cast(hidden, "float32"), HIDDEN);
}
