import * as tf from "@tensorflow/tfjs-core";
import { KeyValueCache, type GPT2 } from "../../model/index.js";
import { layOut, type Batch } from "../../model/padding.js";
import { attendPast, embed, factorsShape, stepPast, type Past } from "@alignscope/tensors/ops";
import { constant, valueAndGradients } from "@alignscope/tensors/tape";
import { AttributeHead, boundedLogProbs, divergence } from "./objective.js";
import type { PPLMSettings } from "./options.js";
import { windowMask } from "./window.js";

/** What one iteration saw and did; the tensors are the caller's. */
export interface Iteration {
  /** −log P(target) of the attribute, `[row]`, in nats. */
  crossEntropy: tf.Tensor1D;
  /** KL(perturbed ‖ unperturbed) of the next token, `[row]`, in nats. */
  kl: tf.Tensor1D;
  /** By block, `[row]`: the norm of the loss' gradient by its keys and values together. */
  gradientNorms: tf.Tensor1D[];
}

/**
 * Texts that PPLM continues, one token at a time: their unperturbed keys and values, those of all tokens but the last as they
 * have been perturbed so far, and the sum of unperturbed hidden states.
 *
 * Rows are independent of each other: each has its own length (pads on the left, hidden), gradient norms and divergence.
 */
export class PerturbedBatch {
  private place: Place | undefined;

  private constructor(
    private readonly model: GPT2,
    private readonly head: AttributeHead,
    /** Keys and values of all tokens, unperturbed. */
    private readonly whole: KeyValueCache,
    /** Of all tokens but the last, perturbed: carried from token to token. */
    private readonly past: KeyValueCache,
    /** The last tokens. */
    private last: Int32Array,
    private state: State,
  ) {}

  /**
   * Runs the prompts.
   *
   * @param newTokens how many tokens there must be room for
   */
  static begin(
    model: GPT2,
    head: AttributeHead,
    prompts: readonly (readonly number[])[],
    { newTokens, horizon }: { newTokens: number; horizon: number },
  ): PerturbedBatch {
    const batch = layOut(prompts, model.config, "masked");
    const { length, pads } = batch;
    // The last token that is chosen is never run; beside the others there is room for the positions of the horizon.
    const whole = KeyValueCache.allocate(model.config, pads, length + newTokens - 1 + horizon);
    const state = tf.tidy(() => {
      const residual = model.residual(batch, { cache: whole, growing: true });
      const hidden = tf.reshape(hiddenOf(model, head, residual), residual.shape);
      const weights = pads.map((pad) => [
        Array.from({ length }, (_, i) => Number(i >= pad && i < length - 1)),
      ]);
      const sum = tf.squeeze<tf.Tensor2D>(tf.matMul(tf.tensor3d(weights), hidden), [1]);
      return kept(sum, ...lastOf(model, head, residual));
    });
    const past = whole.rows(
      pads.map((_, row) => row),
      length - 1,
    );
    const last = Int32Array.from(prompts, (prompt) => prompt[prompt.length - 1] as number);
    return new PerturbedBatch(model, head, whole, past, last, state);
  }

  /** How many rows there are. */
  get rows(): number {
    return this.last.length;
  }

  /** Whether there is anything to perturb: keys and values of tokens before the last. */
  get hasPast(): boolean {
    return this.past.length > 0;
  }

  /** How many tokens each row has. */
  private get lengths(): number[] {
    return this.whole.pads.map((pad) => this.whole.length - pad);
  }

  /**
   * One step of the perturbed past down the gradient of
   * −log P(target | mean hidden state) + klScale·KL(perturbed ‖ unperturbed).
   *
   * The mean is over the unperturbed text so far, its last token as it is with the perturbed past, and `horizon`
   * positions of the expected embedding of the next token, which see the unperturbed text.
   */
  iterate({ stepSize, gamma, horizon, klScale, windowLength, decay, detachLast }: PPLMSettings): Iteration {
    const { model, past, head, rows } = this;
    const { config } = model;
    const at = past.length;
    this.place ??= this.placeOf({ horizon, windowLength, decay });
    const { placeholder, counts, mask } = this.place;
    return tf.tidy(() => {
      // The tape tells them apart; one piece of memory will do.
      const placeholders = past.keys.map(() => tf.clone(placeholder));
      let crossEntropy: tf.Tensor1D | undefined;
      let kl: tf.Tensor1D | undefined;
      const loss = (): tf.Scalar => {
        const residual = model.residual(this.layOut(1), {
          cache: past,
          attend: (layer, qkv, { pads }) =>
            attendPast(qkv, this.slot(past, layer, pads), placeholders[layer]),
        });
        const normed = model.finalNorm(residual);
        const logits = model.unembed(normed);
        const probabilities: tf.Tensor2D = tf.softmax(logits);
        const own = tf.reshape(head.stream === "pre-ln_f" ? residual : normed, [rows, -1]);
        const ahead = this.hiddenAhead(probabilities, horizon);
        const sum = tf.add(tf.add(this.state.sum, detachLast ? constant(own) : own), ahead);
        crossEntropy = tf.keep(head.losses(tf.div(sum, counts)));
        kl = tf.keep(divergence(probabilities, logits, this.state.unperturbed));
        return tf.sum(tf.add(crossEntropy, tf.mul(kl, klScale)));
      };
      const { gradients } = valueAndGradients(loss, placeholders);
      const gradientNorms = gradients.map((factors, layer) => {
        const block = { keys: past.keys[layer]!, values: past.values[layer]!, at, heads: config.nHead };
        const step = stepPast(block, factors as tf.Tensor3D, { size: stepSize, gamma, mask });
        past.keys[layer] = step.keys;
        past.values[layer] = step.values;
        return step.norms;
      });
      return { crossEntropy: crossEntropy!, kl: kl!, gradientNorms };
    });
  }

  /** What all iterations of one token share. */
  private placeOf({ horizon, ...window }: Pick<PPLMSettings, "horizon" | "windowLength" | "decay">): Place {
    const { past, lengths, model } = this;
    return tf.tidy(() => {
      const { nHead: heads } = model.config;
      const placeholder = tf.zeros<tf.Rank.R3>(
        factorsShape({ keys: past.keys[0] as tf.Tensor3D, at: past.length, heads }),
      );
      const counts = tf.tensor2d(lengths.map((length) => [length + horizon]));
      const mask = windowMask(lengths, past.length, window);
      return { placeholder: tf.keep(placeholder), counts: tf.keep(counts), mask: tf.keep(mask) };
    });
  }

  private leavePlace(): void {
    if (this.place) tf.dispose(this.place);
    this.place = undefined;
  }

  /** Hidden states, summed, of `horizon` positions to come: the token after the last is the expected one at each of them. */
  private hiddenAhead(probabilities: tf.Tensor2D, horizon: number): tf.Tensor {
    const { model, whole, head, rows } = this;
    const { dModel } = model.config;
    const expected = tf.matMul(probabilities, model.weight("wte.weight"));
    const embedded = tf.reshape(expected, [rows, 1, dModel]);
    const tokens = horizon === 1 ? embedded : tf.concat(Array<tf.Tensor>(horizon).fill(embedded), 1);
    const residual = model.residual(this.layOut(horizon, whole.length), {
      cache: whole,
      hooks: { hook_embed: () => tokens },
      // Several positions see each other as well.
      attend:
        horizon === 1 ? (layer, qkv, { pads }) => attendPast(qkv, this.slot(whole, layer, pads)) : undefined,
    });
    const hidden = tf.reshape(hiddenOf(model, head, residual), [rows, horizon, dModel]);
    return horizon === 1 ? tf.reshape(hidden, [rows, dModel]) : tf.sum(hidden, 1);
  }

  /**
   * Runs the last token over the perturbed past, which it joins.
   *
   * @returns log-probabilities of the next token, `[row, vocab]`: perturbed ones at this temperature, and unperturbed ones
   */
  next(temperature: number): { perturbed: tf.Tensor2D; unperturbed: tf.Tensor2D } {
    this.leavePlace();
    return tf.tidy(() => {
      const logits = this.model.step(this.layOut(1), { cache: this.past, growing: true });
      const perturbed = tf.logSoftmax(tf.div<tf.Tensor2D>(tf.squeeze(logits, [1]), temperature));
      return { perturbed, unperturbed: tf.clone(this.state.unperturbed) };
    });
  }

  /** Appends a token to each row. */
  append(tokens: readonly number[]): void {
    const { model, head, whole } = this;
    this.last = Int32Array.from(tokens);
    const state = tf.tidy(() => {
      const sum: tf.Tensor2D = tf.add(this.state.sum, this.state.lastHidden);
      const residual = model.residual(this.layOut(1, whole.length), { cache: whole, growing: true });
      return kept(sum, ...lastOf(model, head, residual));
    });
    disposeState(this.state);
    this.state = state;
  }

  /** A batch of its own with some of these rows. */
  keep(rows: readonly number[]): PerturbedBatch {
    const state = tf.tidy(() => {
      const chosen = tf.tensor1d([...rows], "int32");
      const { sum, lastHidden, unperturbed } = this.state;
      return kept(embed(sum, chosen), embed(lastHidden, chosen), embed(unperturbed, chosen));
    });
    const last = Int32Array.from(rows, (row) => this.last[row] as number);
    return new PerturbedBatch(
      this.model,
      this.head,
      this.whole.rows(rows),
      this.past.rows(rows),
      last,
      state,
    );
  }

  dispose(): void {
    this.leavePlace();
    this.whole.dispose();
    this.past.dispose();
    disposeState(this.state);
  }

  /** The last token, or what takes its place, `length` times from position `from` on. */
  private layOut(length: number, from = this.past.length): Batch {
    const { pads } = this.whole;
    const each = <T>(make: (row: number, i: number) => T): T[] =>
      pads.flatMap((_, row) => Array.from({ length }, (__, i) => make(row, i)));
    return {
      ids: Int32Array.from(each((row) => this.last[row] as number)),
      positions: Int32Array.from(each((row, i) => from + i - (pads[row] as number))),
      pads: [...pads],
      batch: pads.length,
      length,
    };
  }

  private slot(cache: KeyValueCache, layer: number, pads: tf.Tensor1D): Past {
    const [keys, values] = [cache.keys[layer], cache.values[layer]] as [tf.Tensor3D, tf.Tensor3D];
    return { keys, values, at: cache.length, pads, heads: this.model.config.nHead };
  }
}

// Types, not interfaces: tf.tidy takes nothing else.
type Place = {
  /** What the gradient's factors are taken by, see {@link attendPast}. */
  placeholder: tf.Tensor3D;
  /** Positions that the mean hidden state is over, `[row, 1]`. */
  counts: tf.Tensor2D;
  /** How much each position is perturbed, `[row, past]`. */
  mask: tf.Tensor2D;
};

type State = {
  /** Hidden states of all tokens but the last, unperturbed, summed: `[row, dModel]`. */
  sum: tf.Tensor2D;
  /** That of the last. */
  lastHidden: tf.Tensor2D;
  /** Unperturbed log-probabilities of the next token, {@link boundedLogProbs}: `[row, vocab]`. */
  unperturbed: tf.Tensor2D;
};

function kept(sum: tf.Tensor2D, lastHidden: tf.Tensor2D, unperturbed: tf.Tensor2D): State {
  return { sum: tf.keep(sum), lastHidden: tf.keep(lastHidden), unperturbed: tf.keep(unperturbed) };
}

function disposeState({ sum, lastHidden, unperturbed }: State): void {
  tf.dispose([sum, lastHidden, unperturbed]);
}

/** The hidden states that the attribute reads, as rows, of a residual stream `[row, position, dModel]`. */
function hiddenOf(model: GPT2, { stream }: AttributeHead, residual: tf.Tensor3D): tf.Tensor2D {
  return stream === "post-ln_f" ? model.finalNorm(residual) : tf.reshape(residual, [-1, residual.shape[2]]);
}

/** Hidden state and next-token log-probabilities at the last position of a residual stream. */
function lastOf(
  model: GPT2,
  head: AttributeHead,
  residual: tf.Tensor3D,
): [hidden: tf.Tensor2D, unperturbed: tf.Tensor2D] {
  const last = tf.slice(residual, [0, residual.shape[1] - 1, 0], [-1, 1, -1]);
  return [hiddenOf(model, head, last), boundedLogProbs(model.unembed(model.finalNorm(last)))];
}
