import * as tf from "@tensorflow/tfjs-core";
import type { AttributeModel } from "../../../src/alignment/pplm/index.js";
import type { GPT2 } from "../../../src/model/index.js";

/*
 * PPLM as run_pplm.py has it, one row at a time and word for word: plain operations of tfjs, its own gradients, no cache
 * (the whole text is run again for every token), an accumulator beside the past. Slow, and meant to be read.
 */

export interface LiteralSettings {
  stepSize: number;
  iterations: number;
  horizon: number;
  gamma: number;
  klScale: number;
  windowLength: number;
  decay: boolean;
  detachLast: boolean;
  temperature: number;
}

export interface LiteralToken {
  iterations: { crossEntropy: number; kl: number; gradientNorms: number[] }[];
  /** Log-probabilities of the next token. */
  unperturbed: number[];
  perturbed: number[];
}

const SMALL = 1e-15;

interface Block {
  k: tf.Tensor2D;
  v: tf.Tensor2D;
}

/** Runs embeddings `[position, dModel]` after a past of so many positions. */
function run(
  model: GPT2,
  embedded: tf.Tensor2D,
  past: Block[] | undefined,
): { logits: tf.Tensor2D; pre: tf.Tensor2D; post: tf.Tensor2D; past: Block[] } {
  const { nLayer, nHead, dHead, dModel, layerNormEpsilon } = model.config;
  const get = <T extends tf.Tensor>(name: string): T => model.weight(name) as T;
  const norm = (x: tf.Tensor2D, name: string): tf.Tensor2D => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const scale = tf.sqrt(tf.add(tf.mean(tf.square(centred), -1, true), layerNormEpsilon));
    return tf.add(tf.mul(tf.div(centred, scale), get(`${name}.weight`)), get(`${name}.bias`));
  };
  const affine = (x: tf.Tensor2D, name: string): tf.Tensor2D =>
    tf.add(tf.matMul(x, get<tf.Tensor2D>(`${name}.weight`)), get(`${name}.bias`));
  const gelu = (x: tf.Tensor2D): tf.Tensor2D =>
    tf.mul(
      tf.mul(x, 0.5),
      tf.add(
        1,
        tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.mul(x, x)))))),
      ),
    );
  const first = past?.[0]?.k.shape[0] ?? 0;
  const count = embedded.shape[0];
  const keys = first + count;
  const hidden = Array.from({ length: count }, (_, i) =>
    Array.from({ length: keys }, (__, j) => (j <= first + i ? 0 : -1e9)),
  );
  const positions = tf.slice(get<tf.Tensor2D>("wpe.weight"), [first, 0], [count, -1]);
  let x: tf.Tensor2D = tf.add(embedded, positions);
  const grown: Block[] = [];
  for (let layer = 0; layer < nLayer; layer++) {
    const at = `h.${layer}`;
    const qkv = affine(norm(x, `${at}.ln_1`), `${at}.attn.c_attn`);
    const part = (i: number): tf.Tensor2D => tf.slice(qkv, [0, i * dModel], [-1, dModel]);
    const own = past?.[layer];
    const k = own ? tf.concat<tf.Tensor2D>([own.k, part(1)], 0) : part(1);
    const v = own ? tf.concat<tf.Tensor2D>([own.v, part(2)], 0) : part(2);
    grown.push({ k, v });
    const heads = Array.from({ length: nHead }, (_, head) => {
      const of = (y: tf.Tensor2D): tf.Tensor2D => tf.slice(y, [0, head * dHead], [-1, dHead]);
      const scores = tf.div(tf.matMul(of(part(0)), of(k), false, true), Math.sqrt(dHead));
      return tf.matMul(tf.softmax(tf.add<tf.Tensor2D>(scores, tf.tensor2d(hidden))), of(v));
    });
    x = tf.add(x, affine(tf.concat<tf.Tensor2D>(heads as tf.Tensor2D[], 1), `${at}.attn.c_proj`));
    x = tf.add(x, affine(gelu(affine(norm(x, `${at}.ln_2`), `${at}.mlp.c_fc`)), `${at}.mlp.c_proj`));
  }
  const post = norm(x, "ln_f");
  return { logits: tf.matMul(post, model.unembedding, false, true), pre: x, post, past: grown };
}

/** Continues a context, token by token, with those of `tokens`; says what PPLM makes of each place. */
export function literalPplm(
  model: GPT2,
  attribute: AttributeModel,
  context: readonly number[],
  tokens: readonly number[],
  settings: LiteralSettings,
): LiteralToken[] {
  const { dModel } = model.config;
  const table = model.weight("wte.weight") as tf.Tensor2D;
  const embed = (ids: readonly number[]): tf.Tensor2D => tf.gather(table, tf.tensor1d([...ids], "int32"));
  const weight = tf.tensor2d(attribute.weight);
  const bias = tf.tensor1d(attribute.bias);
  const stream = attribute.stream === "pre-ln_f" ? "pre" : "post";
  const last = (x: tf.Tensor2D): tf.Tensor2D => tf.slice(x, [x.shape[0] - 1, 0], [1, -1]);
  const numbers = (x: tf.Tensor): number[] => [...x.dataSync()];

  const text = [...context];
  const traces: LiteralToken[] = [];
  let past = text.length > 1 ? run(model, embed(text.slice(0, -1)), undefined).past : undefined;
  for (const token of tokens) {
    const own = text.slice(-1);
    const whole = run(model, embed(text), undefined);
    const unperturbed = tf.softmax<tf.Tensor2D>(last(whole.logits));
    const accumulated = tf.sum(tf.slice(whole[stream], [0, 0], [text.length - 1, -1]), 0, true);
    const iterations: LiteralToken["iterations"] = [];
    const length = text.length - 1;
    if (past) {
      const window = Array.from({ length }, (_, i) => {
        if (settings.windowLength === 0 || length <= settings.windowLength) return [1];
        const place = i - (length - settings.windowLength) + 1;
        return [place < 1 ? 0 : settings.decay ? place / settings.windowLength : 1];
      });
      const mask = tf.tensor2d(window, [length, 1]);
      const before: tf.Tensor2D[] = past.flatMap(({ k, v }) => [k, v]);
      let accumulators = before.map((x) => tf.zerosLike(x));
      const blocksOf = (flat: tf.Tensor[]): Block[] =>
        Array.from({ length: flat.length / 2 }, (_, i) => ({
          k: flat[2 * i] as tf.Tensor2D,
          v: flat[2 * i + 1] as tf.Tensor2D,
        }));
      const perturbedBy = (moves: tf.Tensor[]): Block[] =>
        blocksOf(before.map((x, i) => tf.add(x, moves[i] as tf.Tensor)));
      for (let i = 0; i < settings.iterations; i++) {
        let [crossEntropy, kl] = [Number.NaN, Number.NaN];
        const fixed = run(model, embed(own), perturbedBy(accumulators))[stream];
        const loss = (...moves: tf.Tensor[]): tf.Scalar => {
          const now = run(model, embed(own), perturbedBy(moves));
          const probabilities = tf.softmax<tf.Tensor2D>(now.logits);
          let sum: tf.Tensor = tf.add(accumulated, settings.detachLast ? fixed : now[stream]);
          let ahead: Block[] = whole.past;
          for (let step = 0; step < settings.horizon; step++) {
            const next = run(model, tf.matMul(probabilities, table), ahead);
            ahead = next.past;
            sum = tf.add(sum, next[stream]);
          }
          const mean = tf.reshape(tf.div(sum, length + 1 + settings.horizon), [1, dModel]);
          const scores = tf.add(tf.matMul(mean as tf.Tensor2D, weight, false, true), bias);
          const entropy = tf.neg(tf.log(tf.slice(tf.softmax(scores), [0, attribute.target], [1, 1])));
          const far = tf.add(
            unperturbed,
            tf.mul(tf.cast(tf.lessEqual(unperturbed, SMALL), "float32"), SMALL),
          );
          // Detached: made from values.
          const small = tf.tensor2d([numbers(probabilities).map((p) => Number(p <= SMALL))]);
          const corrected = tf.add(probabilities, tf.mul(small, SMALL));
          const divergence = tf.sum(tf.mul(corrected, tf.log(tf.div(corrected, far))));
          [crossEntropy, kl] = [entropy.dataSync()[0] as number, divergence.dataSync()[0] as number];
          return tf.add(tf.reshape(entropy, []), tf.mul(divergence, settings.klScale));
        };
        const gradients = tf
          .grads(loss)(accumulators)
          .map((g) => tf.mul(g, mask));
        const gradientNorms = blocksOf(gradients).map(({ k, v }) => {
          const squares = tf.add(tf.sum(tf.square(k)), tf.sum(tf.square(v)));
          return Math.sqrt(squares.dataSync()[0] as number) + SMALL;
        });
        accumulators = accumulators.map((x, n) => {
          const norm = gradientNorms[n >> 1] as number;
          return tf.sub(x, tf.mul(gradients[n] as tf.Tensor, settings.stepSize / norm ** settings.gamma));
        });
        iterations.push({ crossEntropy, kl, gradientNorms });
      }
      past = perturbedBy(accumulators);
    }
    const after = run(model, embed(own), past);
    past = after.past;
    traces.push({
      iterations,
      unperturbed: numbers(tf.logSoftmax(last(whole.logits))),
      perturbed: numbers(tf.logSoftmax(tf.div(after.logits, settings.temperature))),
    });
    text.push(token);
  }
  return traces;
}
