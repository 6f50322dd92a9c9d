import { checkPositive } from "@alignscope/base/checks";
import { UserError } from "@alignscope/base/errors";
import type { Tokenizer } from "../../model/tokenizer.js";
import type { PreferencePair, TokenPair } from "../preference-pair.js";

export interface TokenisePairsOptions {
  /** Longer prompts are cut; 64 unless said otherwise, as published. */
  maxPromptTokens?: number;
  /** Longer continuations lose their end; 64 unless said otherwise, as published. */
  maxNewTokens?: number;
  /**
   * Which end of a prompt that is too long stays. `beginning`, unless said otherwise, is what the published code does
   * (the tokenizer's `truncation=True` drops what is too much on the right); `end` keeps what the continuation follows.
   */
  keep?: "beginning" | "end";
}

export interface TokenisedPairs {
  pairs: TokenPair[];
  report: {
    /** Pairs with a prompt, a preferred or a rejected side that was cut. */
    cut: { prompt: number; chosen: number; rejected: number };
    /** Pairs without a prompt, which got the end-of-text token for one. */
    unprompted: number;
    /** Dropped pairs: a side without tokens; both sides the same tokens, perhaps only after the cut. */
    dropped: { empty: number; same: number };
  };
}

/**
 * Pairs as token ids. Prompt and continuation are tokenised each on its own, as published (docs/recipes.md#preference-pairs), and
 * belong behind one another as they are: at the seam the tokens may differ from those of the whole text. No end-of-text
 * token is added.
 *
 * @throws UserError when no pair is left
 * @example const { pairs, report } = tokenisePairs((await readPairs(path)).pairs, tokenizer);
 */
export function tokenisePairs(
  pairs: readonly PreferencePair[],
  tokenizer: Tokenizer,
  { maxPromptTokens = 64, maxNewTokens = 64, keep = "beginning" }: TokenisePairsOptions = {},
): TokenisedPairs {
  checkPositive({ maxPromptTokens, maxNewTokens });
  const report: TokenisedPairs["report"] = {
    cut: { prompt: 0, chosen: 0, rejected: 0 },
    unprompted: 0,
    dropped: { empty: 0, same: 0 },
  };
  const kept: TokenPair[] = [];
  for (const pair of pairs) {
    const whole = {
      prompt: tokenizer.encode(pair.prompt),
      chosen: tokenizer.encode(pair.chosen),
      rejected: tokenizer.encode(pair.rejected),
    };
    const chosen = whole.chosen.slice(0, maxNewTokens);
    const rejected = whole.rejected.slice(0, maxNewTokens);
    if (chosen.length === 0 || rejected.length === 0) {
      report.dropped.empty += 1;
      continue;
    }
    if (chosen.length === rejected.length && chosen.every((id, i) => id === rejected[i])) {
      report.dropped.same += 1;
      continue;
    }
    if (whole.prompt.length === 0) report.unprompted += 1;
    if (whole.prompt.length > maxPromptTokens) report.cut.prompt += 1;
    if (whole.chosen.length > maxNewTokens) report.cut.chosen += 1;
    if (whole.rejected.length > maxNewTokens) report.cut.rejected += 1;
    const prompt =
      whole.prompt.length === 0
        ? [tokenizer.eosTokenId]
        : keep === "end"
          ? whole.prompt.slice(-maxPromptTokens)
          : whole.prompt.slice(0, maxPromptTokens);
    kept.push({ id: pair.id, prompt, chosen, rejected });
  }
  if (kept.length === 0)
    throw new UserError(`none of ${pairs.length} pairs has two different sides with tokens`);
  return { pairs: kept, report };
}
