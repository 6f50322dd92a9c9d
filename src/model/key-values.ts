import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { embed } from "@alignscope/tensors/ops/embed";
import { FUSED, hasKernel } from "@alignscope/tensors/ops/fused";
import { filledTensor } from "@alignscope/tensors/tensor-memory";
import type { GPT2Config } from "./config.js";

/**
 * Keys and values of the positions seen so far, block by block: what later positions attend to.
 *
 * A cache that is handed to a forward pass as `past` stays as it is, and gradients by it can be asked for; generation
 * grows one. It belongs to whoever made it: dispose of it with {@link dispose}.
 *
 * @example
 * const past = model.keyValues([[464, 2068]]);
 * const logits = model.forward([[7586]], { past }); // as the last position of forward([[464, 2068, 7586]])
 */
export class KeyValueCache {
  private constructor(
    /** By block, `[batch, capacity, dModel]`, heads side by side; the first {@link length} positions are filled. */
    readonly keys: tf.Tensor3D[],
    readonly values: tf.Tensor3D[],
    /** Positions hidden on the left of each row. */
    readonly pads: readonly number[],
    /** Filled positions. */
    public length: number,
  ) {}

  /** An empty cache with room for `capacity` positions, which a pass fills. */
  static allocate(config: GPT2Config, pads: readonly number[], capacity: number): KeyValueCache {
    // Where a backend cannot write into a tensor, room would be of no use.
    const room = hasKernel(FUSED.appendToCache) ? capacity : 0;
    const empty = (): tf.Tensor3D[] =>
      Array.from({ length: config.nLayer }, () =>
        tf.keep(
          // Zeros in place: tf.zeros makes an array first, which took an eighth of the time of generating.
          filledTensor([pads.length, room, config.dModel], (values) => values.fill(0)) as tf.Tensor3D,
        ),
      );
    return new KeyValueCache(empty(), empty(), pads, 0);
  }

  /**
   * A cache of other keys and values for the same positions, e.g. perturbed ones; the tensors stay the caller's.
   *
   * @param keys by block, `[batch, position, dModel]`
   */
  with(keys: readonly tf.Tensor3D[], values: readonly tf.Tensor3D[]): KeyValueCache {
    const expected = [this.pads.length, this.length, this.keys[0]?.shape[2]];
    const wrong = [...keys, ...values].find(({ shape }) => shape.join() !== expected.join());
    if (wrong) {
      throw new UserError(`key-value cache: got a tensor [${wrong.shape}], expected [${expected}]`);
    }
    if (keys.length !== this.keys.length || values.length !== this.values.length) {
      throw new UserError(
        `key-value cache: got ${keys.length} keys and ${values.length} values, expected ${this.keys.length} of each, one per block`,
      );
    }
    return new KeyValueCache([...keys], [...values], this.pads, this.length);
  }

  /** A cache of its own with some rows of this one, in the order given, and the first `length` of its positions. */
  rows(indices: readonly number[], length = this.length): KeyValueCache {
    const wrong = indices.find((index) => !(index in this.pads));
    if (wrong !== undefined) {
      throw new UserError(`key-value cache: no row ${wrong}, expected 0 to ${this.pads.length - 1}`);
    }
    if (!(length >= 0 && length <= this.length)) {
      throw new UserError(`key-value cache: ${length} positions of ${this.length}, expected as many at most`);
    }
    const pads = indices.map((index) => this.pads[index] as number);
    const [keys, values] = tf.tidy(() => {
      const chosen = tf.tensor1d([...indices], "int32");
      const taken = (x: tf.Tensor3D): tf.Tensor3D => {
        const [batch, room, dModel] = x.shape;
        const rows = embed(tf.reshape(x, [batch, room * dModel]), chosen);
        return tf.keep(tf.reshape(rows, [indices.length, room, dModel]));
      };
      return [this.keys, this.values].map((tensors) => tensors.map(taken));
    }) as [tf.Tensor3D[], tf.Tensor3D[]];
    return new KeyValueCache(keys, values, pads, length);
  }

  /** Rows of the batch. */
  get batch(): number {
    return this.pads.length;
  }

  /** The filled positions of a block's keys and values, `[batch, length, dModel]`. */
  filled(layer: number): { keys: tf.Tensor3D; values: tf.Tensor3D } {
    const keys = this.keys[layer];
    const values = this.values[layer];
    if (!keys || !values) throw new Error(`key-value cache: no block ${layer}`);
    const cut = (x: tf.Tensor3D): tf.Tensor3D =>
      x.shape[1] === this.length ? x : tf.slice(x, [0, 0, 0], [-1, this.length, -1]);
    return { keys: cut(keys), values: cut(values) };
  }

  /** Lets `append` add the keys and values of `qkv` to a block's, and returns them. */
  append(
    layer: number,
    qkv: tf.Tensor2D,
    append: (cache: tf.Tensor3D, qkv: tf.Tensor2D, part: 1 | 2, at: number) => tf.Tensor3D,
  ): [keys: tf.Tensor3D, values: tf.Tensor3D] {
    const keys = append(this.keys[layer] as tf.Tensor3D, qkv, 1, this.length);
    const values = append(this.values[layer] as tf.Tensor3D, qkv, 2, this.length);
    this.keys[layer] = keys;
    this.values[layer] = values;
    return [keys, values];
  }

  dispose(): void {
    tf.dispose([...this.keys, ...this.values]);
  }
}
