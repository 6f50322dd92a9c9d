import { existsSync, readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { sha256Of } from "@alignscope/base/checksum";
import { writeFileAtomic } from "@alignscope/base/files";
import { decodeFloats, encodeFloats } from "../../data/floats.js";
import type { GPT2 } from "../../model/index.js";
import type { StepOptions } from "../../model/pass-options.js";
import { fromHalf, toHalf } from "@alignscope/tensors/half";
import { embed, pickLogProb, tokenLogProbs } from "@alignscope/tensors/ops";
import type { TokenPair } from "../preference-pair.js";
import { dependsOnBatch, layOutPairs, longestSide, type PairBatch } from "./batch.js";
import { batchAt, orderOf, type PreparedPairs } from "./pairs.js";
import type { DpoSettings } from "./settings.js";
import { byLength } from "../../model/padding.js";

/** Log-probabilities of a pair's sides, in nats. */
export type SideLogProbs = readonly [chosen: number, rejected: number];

/**
 * Log-probability of each side given its prompt, in nats: of the tokens that count, summed (docs/recipes.md#the-loss-of-dpo).
 *
 * @returns `[2·pairs]`, the chosen sides first
 */
export function sideLogProbs(
  model: GPT2,
  batch: PairBatch,
  options: Pick<StepOptions, "gradient"> = {},
): tf.Tensor1D {
  return tf.tidy(() => {
    const read = model.unembeddingInput(batch.batch, batch.at, options);
    const { weight, bias } = model.unembeddingWithBias;
    const picked = tokenLogProbs(read, weight, tf.tensor1d(batch.targets, "int32"), bias);
    return sumsByRow(picked, batch.rows, batch.batch.batch);
  });
}

/** Log-probabilities of sides and KL(reference ‖ policy) along them, see {@link sideLogProbsAndKl}. */
export interface SidesWithKl {
  /** `[2·pairs]`, in nats. */
  logProbs: tf.Tensor1D;
  /** `[2·pairs]`, in nats per position. */
  kl: tf.Tensor1D;
}

/**
 * {@link sideLogProbs}, and for each side KL(reference ‖ policy) = Σ_v π_ref(v) (log π_ref(v) − log π(v)), summed over the
 * vocabulary and averaged over positions: those that predict a token that counts, or, as in the official code, all of the
 * row's, pads and prompt included.
 *
 * @param everyPosition whether the average is over all positions; the batch has to be laid out for it
 */
export function sideLogProbsAndKl(
  policy: GPT2,
  reference: GPT2,
  { batch, at, targets, rows }: PairBatch,
  everyPosition: boolean,
  options: Pick<StepOptions, "gradient"> = {},
): SidesWithKl {
  return tf.tidy(() => {
    const places = everyPosition ? Int32Array.from(batch.ids, (_, i) => i) : at;
    const owners = everyPosition ? places.map((place) => Math.floor(place / batch.length)) : rows;
    const logits = policy.unembed(policy.unembeddingInput(batch, places, options));
    const own = everyPosition ? embed(logits, tf.tensor1d(at, "int32")) : logits;
    const picked = pickLogProb(own, tf.tensor1d(targets, "int32"));
    const frozen = tf.logSoftmax(reference.unembed(reference.unembeddingInput(batch, places)));
    const kl = tf.sum<tf.Tensor1D>(tf.mul(tf.exp(frozen), tf.sub(frozen, tf.logSoftmax(logits))), -1);
    const perRow = Float32Array.from({ length: batch.batch }, () => 0);
    owners.forEach((row) => (perRow[row]! += 1));
    return {
      logProbs: sumsByRow(picked, rows, batch.batch),
      kl: tf.div<tf.Tensor1D>(sumsByRow(kl, owners, batch.batch), tf.tensor1d(perRow)),
    };
  });
}

/** Sums of `values` by the row that each belongs to: a product with ones and zeros, so that it has a gradient everywhere. */
function sumsByRow(values: tf.Tensor1D, rows: Int32Array, count: number): tf.Tensor1D {
  const ones = new Float32Array(count * rows.length);
  rows.forEach((row, i) => (ones[row * rows.length + i] = 1));
  const belongs = tf.tensor2d(ones, [count, rows.length]);
  return tf.reshape(tf.matMul(belongs, tf.reshape(values, [-1, 1])), [count]);
}

/**
 * Log-probabilities of all sides under the reference, computed once, so that a step need not run it. Where the layout of a
 * batch has no influence there is one entry per pair; where it has, one per pair of every batch of every epoch.
 */
export class ReferenceLogProbs {
  private constructor(
    private readonly values: Float32Array,
    private readonly training: number,
    private readonly settings: DpoSettings,
  ) {}

  /** Of training pairs of a step that begins at `position` of an epoch; `members` are their numbers. */
  ofBatch(epoch: number, position: number, members: readonly number[]): SideLogProbs[] {
    if (!dependsOnBatch(this.settings)) return members.map((member) => this.at(member));
    return members.map((_, i) => this.at(epoch * this.training + position + i));
  }

  /** Of held-out pairs from the `first` on. */
  ofValidation(first: number, count: number): SideLogProbs[] {
    const epochs = dependsOnBatch(this.settings) ? this.settings.epochs : 1;
    return Array.from({ length: count }, (_, i) => this.at(epochs * this.training + first + i));
  }

  private at(entry: number): SideLogProbs {
    return [this.values[2 * entry]!, this.values[2 * entry + 1]!];
  }

  /**
   * Reads them from `path`, or computes and writes them there: also where the file is damaged, or of another reference, of
   * other pairs or of other settings.
   *
   * @param key what they follow from: checksums of the reference and of the pairs
   */
  static async prepare(
    path: string,
    reference: GPT2,
    { training, validation }: Pick<PreparedPairs, "training" | "validation">,
    settings: DpoSettings,
    key: Record<string, string>,
    { onBatch, signal }: { onBatch?: (done: number, total: number) => void; signal?: AbortSignal } = {},
  ): Promise<ReferenceLogProbs> {
    const batches = [...planOf(training, settings), ...validationBatches(validation, training, settings)];
    const total = batches.reduce((sum, { entries }) => sum + entries.length, 0);
    const stamp = sha256Of(JSON.stringify([key, influences(settings), total]));
    const kept = readCache(path, stamp, total);
    if (kept) return new ReferenceLogProbs(kept, training.length, settings);

    const values = new Float32Array(2 * total);
    const own = settings.referencePrecision === "float16" ? await roundedToHalf(reference) : undefined;
    try {
      let done = 0;
      for (const { pairs, entries } of batches) {
        await setImmediate(); // lets timers and signals through
        signal?.throwIfAborted();
        const sides = sideLogProbs(own ?? reference, layOutPairs(pairs, settings, reference.config));
        const found = await sides.data();
        sides.dispose();
        entries.forEach((entry, i) => {
          values[2 * entry] = found[i]!;
          values[2 * entry + 1] = found[pairs.length + i]!;
        });
        done += entries.length;
        onBatch?.(done, total);
      }
    } finally {
      own?.dispose();
    }
    writeFileAtomic(path, encodeFloats({ shape: [total, 2], data: values, meta: metaOf(stamp, values) }));
    return new ReferenceLogProbs(values, training.length, settings);
  }
}

interface PlannedBatch {
  pairs: TokenPair[];
  /** Where each pair's log-probabilities go. */
  entries: number[];
}

function* planOf(training: readonly TokenPair[], settings: DpoSettings): Generator<PlannedBatch> {
  if (!dependsOnBatch(settings)) {
    yield* batchesByLength(training, 0, settings.evaluationBatchSize);
    return;
  }
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    const order = orderOf(epoch, training.length, settings);
    for (let position = 0; position < order.length; position += settings.batchSize) {
      const members = batchAt(order, position, settings.batchSize);
      yield {
        pairs: members.map((i) => training[i]!),
        entries: members.map((_, i) => epoch * training.length + position + i),
      };
    }
  }
}

function* validationBatches(
  validation: readonly TokenPair[],
  training: readonly TokenPair[],
  settings: DpoSettings,
): Generator<PlannedBatch> {
  if (!dependsOnBatch(settings)) {
    yield* batchesByLength(validation, training.length, settings.evaluationBatchSize);
    return;
  }
  const start = settings.epochs * training.length;
  for (let first = 0; first < validation.length; first += settings.evaluationBatchSize) {
    const pairs = validation.slice(first, first + settings.evaluationBatchSize);
    yield { pairs, entries: pairs.map((_, i) => start + first + i) };
  }
}

/** Pairs of like length together, so that there is less to pad. */
function* batchesByLength(pairs: readonly TokenPair[], start: number, size: number): Generator<PlannedBatch> {
  const order = byLength(pairs.map(longestSide), "longest");
  for (let first = 0; first < order.length; first += size) {
    const members = order.slice(first, first + size);
    yield { pairs: members.map((i) => pairs[i]!), entries: members.map((i) => start + i) };
  }
}

/** The settings that the log-probabilities follow from, beside the pairs themselves. */
function influences(settings: DpoSettings): unknown[] {
  const { countPrompt, countSidePadding, maskEos, positions, referencePrecision } = settings;
  const { batchSize, evaluationBatchSize, epochs, seed, shuffle } = settings;
  const layout = [countPrompt, countSidePadding, maskEos, positions, referencePrecision];
  return dependsOnBatch(settings)
    ? [...layout, batchSize, evaluationBatchSize, epochs, seed, shuffle]
    : layout;
}

function metaOf(stamp: string, values: Float32Array): Record<string, string> {
  return {
    key: stamp,
    sha256: sha256Of(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  };
}

function readCache(path: string, stamp: string, total: number): Float32Array | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const { data, meta } = decodeFloats(path, readFileSync(path)).floats;
    if (!(data instanceof Float32Array) || data.length !== 2 * total) return undefined;
    const expected = metaOf(stamp, data);
    const same = meta?.["key"] === expected["key"] && meta?.["sha256"] === expected["sha256"];
    return same ? data : undefined;
  } catch {
    return undefined; // damaged: what it held can be computed again
  }
}

/** A copy of a model whose weights are rounded to half precision; arithmetic stays float32. */
export async function roundedToHalf(model: GPT2): Promise<GPT2> {
  const rounded = new Map<string, tf.Tensor>();
  for (const name of model.parameterNames) {
    const tensor = model.weight(name);
    const values = Float32Array.from(await tensor.data<"float32">(), (value) => fromHalf(toHalf(value)));
    rounded.set(name, tf.tensor(values, tensor.shape));
  }
  const copy = model.withWeights(rounded);
  tf.dispose([...rounded.values()]);
  return copy;
}
