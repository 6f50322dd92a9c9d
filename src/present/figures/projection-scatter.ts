import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";
import { coded, quantitative } from "./parts.js";

const MOST_POINTS = 2000;
const OTHERS = "other tokens";

/**
 * What E v foretells of each token's logit and what happens: a point a token, at most 2,000 and those that
 * are marked.
 *
 * @param promotion predicted and measured changes, `[vocab]` each, and the ids of the tokens to mark
 * @param options what the title says
 * @param options.vector name of the vector that was added
 */
export function projectionScatterFigure(
  {
    predicted,
    measured,
    promoted,
  }: { predicted: ArrayLike<number>; measured: ArrayLike<number>; promoted: readonly number[] },
  { vector }: { vector: string },
): Figure {
  const marked = `top ${promoted.length} of E v`;
  const stride = Math.ceil(predicted.length / MOST_POINTS);
  const points = Array.from(predicted, (change, id) => ({
    ...{ id, predicted: change, measured: measured[id] as number },
    group: promoted.includes(id) ? marked : OTHERS,
  })).filter(({ id, group }) => group === marked || id % stride === 0);
  const groups = [OTHERS, marked];
  return figure({
    name: "projection-scatter",
    title: `Change of logits after adding ${vector}`,
    caption:
      "Predicted m e_w · v and measured change of each token's logit; " +
      `${points.length} of ${predicted.length} tokens drawn.`,
    data: points,
    spec: {
      width: 340,
      height: 260,
      mark: { type: "point", filled: true },
      encoding: {
        x: quantitative("predicted", "predicted change m e_w · v", { scale: { padding: 8 } }),
        y: quantitative("measured", "measured change of the logit", { scale: { padding: 8 } }),
        color: coded("group", groups, [palette.skyBlue, palette.vermillion]),
        shape: coded("group", groups, ["circle", "triangle-up"]),
        size: coded("group", groups, [14, 60], "ordinal"),
      },
    },
  });
}
