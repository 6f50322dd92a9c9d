import type { GPT2Config } from "../../src/model/index.js";
import type { Batch } from "./batch.js";
import type { Pass } from "./forward.js";
import type { Pair } from "./preferences.js";

/*
 * The batch and the loss of the official code (docs/recipes.md#the-loss-of-dpo and #batches-of-pairs), from its
 * description: prompts padded on the left with end-of-text, each side's continuations on the right, the narrower side
 * filled up with token 0; an attention mask that hides every end-of-text token and what fills up; log-probabilities of all
 * tokens but end-of-text.
 */

/** What float32's smallest number does in Hugging Face's GPT-2: it swallows a score, once for causality, once for the mask. */
const LEAST = -1e38;

/** All chosen rows, then all rejected ones. */
export function officialBatch(
  pairs: readonly Pair[],
  { eosTokenId: eos }: Pick<GPT2Config, "eosTokenId">,
): Batch {
  const longest = (sides: readonly (readonly number[])[]): number =>
    Math.max(...sides.map((side) => side.length));
  const repeat = (id: number, times: number): number[] => Array<number>(times).fill(id);
  const prompts = pairs.map(({ prompt }) => prompt);
  const left = longest(prompts);
  const sides = [pairs.map(({ chosen }) => chosen), pairs.map(({ rejected }) => rejected)];
  const widths = sides.map((side) => longest(side));
  const rows = sides.flatMap((side, s) =>
    side.map((continuation, i) => {
      const prompt = prompts[i]!;
      return [
        ...[...repeat(eos, left - prompt.length), ...prompt],
        ...[...continuation, ...repeat(eos, widths[s]! - continuation.length)],
        ...repeat(0, Math.max(...widths) - widths[s]!),
      ];
    }),
  );
  const positions = rows[0]!.length;
  const seen = rows.map((row, i) =>
    row.map((id, at) => id !== eos && at < left + widths[i < pairs.length ? 0 : 1]!),
  );
  return {
    batch: rows.length,
    positions,
    ids: rows.flat(),
    places: rows.flatMap((row) => row.map((_, at) => at)),
    pads: rows.map(() => 0),
    sees: () => true,
    added: (row, query, key) => LEAST * (Number(key > query) + Number(!seen[row]![key])),
  };
}

/** Log-probabilities of the rows, and the mean loss with what it sends back to the policy's logits. */
export function officialLoss(
  policy: Pass,
  reference: Pass,
  beta: number,
): { loss: number; logProbs: number[]; dLogits: Float64Array } {
  const { batch, config } = policy;
  const { vocabSize } = config;
  const counted = batch.ids.flatMap((id, i) =>
    i % batch.positions > 0 && id !== config.eosTokenId
      ? [{ id, start: (i - 1) * vocabSize, row: Math.floor(i / batch.positions) }]
      : [],
  );
  const sums = [policy, reference].map(({ logProbs }) => {
    const rows = Array<number>(batch.batch).fill(0);
    for (const { id, start, row } of counted) rows[row]! += logProbs.values[start + id]!;
    return rows;
  }) as [number[], number[]];
  const pairs = batch.batch / 2;
  const dLogits = new Float64Array(policy.logits.values.length);
  let loss = 0;
  const slopes = Array.from({ length: batch.batch }, (_, row) => {
    const pair = row % pairs;
    const gain = (of: number): number => sums[0][of]! - sums[1][of]!;
    const margin = beta * (gain(pair) - gain(pair + pairs));
    if (row < pairs) loss += Math.log1p(Math.exp(-margin)) / pairs;
    return ((row < pairs ? -1 : 1) * beta) / (1 + Math.exp(margin)) / pairs;
  });
  for (const { id, start, row } of counted) {
    for (let j = 0; j < vocabSize; j += 1) {
      dLogits[start + j]! += slopes[row]! * (Number(j === id) - Math.exp(policy.logProbs.values[start + j]!));
    }
  }
  return { loss, logProbs: sums[0], dLogits };
}
