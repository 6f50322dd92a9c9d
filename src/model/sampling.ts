import { UserError } from "@alignscope/base/errors";
import { mulberry32 } from "@alignscope/base/random";

/** How a token is drawn from its distribution; the filters apply in this order, as in Hugging Face's generate. */
export interface SamplingOptions {
  /** The same seed gives the same tokens, however prompts are cut into batches. */
  seed: number;
  /** Logits are divided by it; 1 unless said otherwise. */
  temperature?: number;
  /** Only this many of the likeliest tokens. */
  topK?: number;
  /** Only the likeliest tokens that together reach this probability, the one that reaches it included. */
  topP?: number;
}

/** Draws tokens for one sequence after the other; each has random numbers of its own. */
export type Sampler = (logits: Float32Array) => number;

/** A sampler for the sequence with this index, its settings checked. */
export function sampler({ seed, temperature = 1, topK, topP }: SamplingOptions, sequence: number): Sampler {
  if (!Number.isSafeInteger(seed)) throw new UserError(`seed: got ${seed}, expected an integer`);
  if (!(temperature > 0)) {
    throw new UserError(
      `temperature: got ${temperature}, expected a number above 0 (greedy: leave sampling out)`,
    );
  }
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1)) {
    throw new UserError(`topK: got ${topK}, expected a positive integer`);
  }
  if (topP !== undefined && !(topP > 0 && topP <= 1)) {
    throw new UserError(`topP: got ${topP}, expected a number above 0 and at most 1`);
  }
  const random = mulberry32(seed * 1_000_003 + sequence);
  return (logits) => {
    const candidates = likeliest(logits, topK ?? logits.length, topP === undefined ? 1 : topP, temperature);
    let left = random() * candidates.reduce((sum, { weight }) => sum + weight, 0);
    for (const { token, weight } of candidates) {
      left -= weight;
      if (left < 0) return token;
    }
    return candidates[candidates.length - 1]?.token ?? 0;
  };
}

interface Candidate {
  token: number;
  /** Proportional to its probability. */
  weight: number;
}

/** The tokens that may be drawn; sorted, likeliest first, where a filter needs it. */
function likeliest(logits: Float32Array, topK: number, topP: number, temperature: number): Candidate[] {
  let best = -Infinity;
  for (const logit of logits) best = Math.max(best, logit);
  const candidates = Array.from(logits, (logit, token) => ({
    token,
    weight: Math.exp((logit - best) / temperature),
  }));
  if (topK >= logits.length && topP >= 1) return candidates;
  // By logit, since weights far below the best are all 0; ties go to the lower token, whatever the sort.
  candidates.sort((a, b) => logits[b.token]! - logits[a.token]! || a.token - b.token);
  const few = candidates.slice(0, topK);
  if (topP >= 1) return few;
  const total = few.reduce((sum, { weight }) => sum + weight, 0);
  let reached = 0;
  const end = few.findIndex(({ weight }) => (reached += weight) >= topP * total);
  return end < 0 ? few : few.slice(0, end + 1);
}
