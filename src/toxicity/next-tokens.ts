import * as tf from "@tensorflow/tfjs-core";
import type { GPT2, Hooks, Tokenizer } from "../model/index.js";
import { lastPosition } from "./activations.js";
import { largest } from "./vocabulary.js";

/** A token and its probability. */
export interface ScoredToken {
  id: number;
  /** The token as the tokenizer spells it, leading space included. */
  token: string;
  score: number;
}

/**
 * The likeliest next tokens after a prompt (Table 3), with their probabilities as scores.
 *
 * @param ids the prompt's tokens
 */
export async function likeliestNextTokens(
  model: GPT2,
  tokenizer: Pick<Tokenizer, "tokenText">,
  ids: readonly number[],
  { count = 5, hooks }: { count?: number; hooks?: Hooks } = {},
): Promise<ScoredToken[]> {
  const probabilities = tf.tidy(() => tf.softmax(lastPosition(model.forward([[...ids]], { hooks }))));
  const data = await probabilities.data();
  probabilities.dispose();
  return largest(data, count).map((id) => ({
    id,
    token: tokenizer.tokenText(id),
    score: data[id] as number,
  }));
}
