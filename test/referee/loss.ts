import type { Pass } from "./forward.js";

/**
 * Mean cross-entropy, in nats, of every real token but the first of each sequence, and what it sends back to the logits:
 * (p − 1[target]) / number of targets at the position before each target.
 */
export function nextTokenLoss({ batch, config, logProbs }: Pass): { loss: number; dLogits: Float64Array } {
  const { vocabSize } = config;
  const targets = batch.ids.flatMap((id, row) => {
    const position = row % batch.positions;
    const first = batch.pads[Math.floor(row / batch.positions)]!;
    return position > first ? [{ id, start: (row - 1) * vocabSize }] : [];
  });
  const dLogits = new Float64Array(logProbs.values.length);
  let total = 0;
  for (const { id, start } of targets) {
    total -= logProbs.values[start + id]!;
    for (let j = 0; j < vocabSize; j += 1) {
      dLogits[start + j] = (Math.exp(logProbs.values[start + j]!) - (j === id ? 1 : 0)) / targets.length;
    }
  }
  return { loss: total / targets.length, dLogits };
}
