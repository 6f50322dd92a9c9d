import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";
import { dashedRule, ordinal, quantitative } from "./parts.js";

const DRAWN = 32;

/**
 * How much of the stacked value vectors each singular vector explains.
 *
 * @param singularValues of the stack, all of them, descending
 * @param options what the caption says
 * @param options.stacked how many value vectors were stacked
 */
export function svdSpectrumFigure(
  singularValues: readonly number[],
  { stacked }: { stacked: number },
): Figure {
  const squares = singularValues.map((value) => value * value);
  const total = squares.reduce((sum, square) => sum + square, 0);
  return figure({
    name: "svd-spectrum",
    title: "Singular values of the toxic value vectors",
    caption:
      `Share of the summed squares that each of the first ${DRAWN} directions explains; ${stacked} vectors stacked. ` +
      "The dashed line is an even spread.",
    data: squares.slice(0, DRAWN).map((square, direction) => ({ direction, share: square / total })),
    spec: {
      width: 380,
      height: 180,
      layer: [
        {
          mark: { type: "bar", color: palette.blue },
          encoding: {
            x: ordinal("direction", "direction U[k]", { axis: { labelAngle: 0, labelOverlap: true } }),
            y: quantitative("share", "share of the summed squares", { axis: { format: "%" } }),
          },
        },
        dashedRule({ y: { datum: 1 / singularValues.length } }),
      ],
    },
  });
}
