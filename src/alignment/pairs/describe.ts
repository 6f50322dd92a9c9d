import { UserError } from "@alignscope/base/errors";
import type { Tokenizer } from "../../model/tokenizer.js";
import type { Scorer } from "../../scorers/scorer.js";
import { mean } from "@alignscope/tensors/vectors";
import type { ReadPair, Sides } from "./row.js";

/** Numbers about a set of pairs; each array has one per pair, in order, for intervals and histograms. */
export interface PairsSummary {
  pairs: number;
  /** Lengths in tokens, where the rows say them or a tokenizer is given. */
  tokens?: {
    prompt: number[];
    chosen: number[];
    rejected: number[];
    mean: { prompt: number } & Sides<number>;
  };
  /** Toxicity, 0 to 1, where the rows say it or a scorer is given. */
  toxicity?: Sides<number[]> & {
    mean: Sides<number>;
    /** Share of pairs whose rejected side is the more toxic one. */
    rejectedMoreToxic: number;
  };
}

/**
 * How long and how toxic both sides of pairs are. Lengths are those that the rows state of themselves, or else the
 * tokenizer's; toxicity is the scorer's, or without one what the rows state. What nobody says is left out.
 *
 * @throws UserError for no pairs: nothing has a mean then
 * @example const { toxicity } = await describePairs(pairs, { scorer: await openScorer("linear") });
 */
export async function describePairs(
  pairs: readonly ReadPair[],
  { tokenizer, scorer }: { tokenizer?: Tokenizer; scorer?: Scorer } = {},
): Promise<PairsSummary> {
  if (pairs.length === 0) {
    throw new UserError(
      "got no pairs to describe: expected at least one; raise pairCount, or see what readPairs reports of the rows it dropped",
    );
  }
  const tokens = tokensOf(pairs, tokenizer);
  const toxicity = await toxicityOf(pairs, scorer);
  return {
    pairs: pairs.length,
    ...(tokens && {
      tokens: {
        ...tokens,
        mean: { prompt: mean(tokens.prompt), chosen: mean(tokens.chosen), rejected: mean(tokens.rejected) },
      },
    }),
    ...(toxicity && {
      toxicity: {
        ...toxicity,
        mean: { chosen: mean(toxicity.chosen), rejected: mean(toxicity.rejected) },
        rejectedMoreToxic: mean(
          toxicity.chosen.map((value, i) => (value < (toxicity.rejected[i] ?? 0) ? 1 : 0)),
        ),
      },
    }),
  };
}

function tokensOf(
  pairs: readonly ReadPair[],
  tokenizer: Tokenizer | undefined,
): { prompt: number[]; chosen: number[]; rejected: number[] } | undefined {
  const said = pairs.flatMap(({ tokens }) => (tokens ? [tokens] : []));
  if (said.length < pairs.length && !tokenizer) return undefined;
  const lengths = (side: "prompt" | "chosen" | "rejected"): number[] =>
    said.length === pairs.length
      ? said.map((tokens) => tokens[side])
      : pairs.map((pair) => tokenizer!.encode(pair[side]).length);
  return { prompt: lengths("prompt"), chosen: lengths("chosen"), rejected: lengths("rejected") };
}

async function toxicityOf(
  pairs: readonly ReadPair[],
  scorer: Scorer | undefined,
): Promise<Sides<number[]> | undefined> {
  // A scorer that is given decides, so that sets scored by different ones can be compared.
  if (scorer) {
    return {
      chosen: await scorer.score(pairs.map(({ chosen }) => chosen)),
      rejected: await scorer.score(pairs.map(({ rejected }) => rejected)),
    };
  }
  const said = pairs.flatMap(({ toxicity }) => (toxicity ? [toxicity] : []));
  if (said.length !== pairs.length) return undefined;
  return { chosen: said.map(({ chosen }) => chosen), rejected: said.map(({ rejected }) => rejected) };
}
