import type { Pass } from "./forward.js";

/** Continuations of one prompt, the first preferred to the second; token ids. */
export interface Pair {
  prompt: number[];
  chosen: number[];
  rejected: number[];
}

/** Each pair's prompt with either continuation: chosen, rejected, chosen, … */
export function sequencesOf(pairs: readonly Pair[]): number[][] {
  return pairs.flatMap(({ prompt, chosen, rejected }) => [
    [...prompt, ...chosen],
    [...prompt, ...rejected],
  ]);
}

/**
 * The DPO loss (Rafailov et al. 2023, eq. 7), the mean of −log σ(β·(log-ratio of chosen − log-ratio of rejected)) over
 * the pairs, of passes over {@link sequencesOf} them, and what it sends back to the policy's logits. Log-probabilities
 * are sums over the continuation.
 */
export function policyLoss(
  policy: Pass,
  reference: Pass,
  pairs: readonly Pair[],
  beta: number,
): { loss: number; dLogits: Float64Array } {
  const { batch, config } = policy;
  const { vocabSize } = config;
  const dLogits = new Float64Array(policy.logits.values.length);
  let loss = 0;
  pairs.forEach(({ chosen, rejected }, pair) => {
    const starts = [chosen, rejected].map((continuation, side) => {
      const end = (2 * pair + side + 1) * batch.positions;
      // The position before each token of the continuation predicts it.
      return continuation.map((id, i) => ({ id, start: (end - continuation.length + i - 1) * vocabSize }));
    });
    const logProb = ({ logProbs }: Pass, side: number): number =>
      starts[side]!.reduce((total, { id, start }) => total + logProbs.values[start + id]!, 0);
    const ratio = (side: number): number => logProb(policy, side) - logProb(reference, side);
    const margin = beta * (ratio(0) - ratio(1));
    loss += Math.log1p(Math.exp(-margin)) / pairs.length;
    const slope = -beta / (1 + Math.exp(margin)) / pairs.length; // by the chosen log-probability
    starts.forEach((tokens, side) => {
      for (const { id, start } of tokens) {
        for (let j = 0; j < vocabSize; j += 1) {
          const dLogProb = (j === id ? 1 : 0) - Math.exp(policy.logProbs.values[start + j]!);
          dLogits[start + j]! += (side === 0 ? slope : -slope) * dLogProb;
        }
      }
    });
  });
  return { loss, dLogits };
}
