import { figure, type Figure } from "../figure.js";
import { sidesOf, type SideBar } from "./pairs-toxicity.js";
import { overlaidBars } from "./parts.js";

/**
 * How long both sides of the preference pairs are.
 *
 * @param bars of the preferred side, then of the rejected one
 * @param options what the caption says
 * @param options.newTokens how many tokens were generated at most, where the pairs were made here
 */
export function pairsLengthFigure(
  bars: readonly SideBar[],
  { newTokens }: { newTokens: number | undefined },
): Figure {
  const x = "length of the continuation (tokens)";
  return figure({
    name: "pairs-length",
    title: "Length of both sides",
    caption:
      newTokens === undefined
        ? "Tokens of each continuation."
        : `Tokens of each continuation; at most ${newTokens} are generated, and both end where the model ends the text.`,
    data: bars.map((bar) => ({ ...bar })),
    spec: {
      width: 420,
      height: 180,
      ...overlaidBars({ by: "side", names: sidesOf(bars), x, y: "share of continuations" }),
    },
  });
}
