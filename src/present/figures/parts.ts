import { palette } from "../theme.js";

// Parts of Vega-Lite specifications that several figures have.

/** A channel that gives each named value of a field its colour, shape or number, without a title on its legend. */
export function coded(
  field: string,
  domain: readonly string[],
  range: readonly (string | number)[],
  type: "nominal" | "ordinal" = "nominal",
): object {
  return { field, type, title: null, scale: { domain, range } };
}

/** One sequence of layers below an axis, labels upright. */
export const layerAxis = { field: "layer", type: "ordinal", title: "layer", axis: { labelAngle: 0 } };

/**
 * Two histograms over one another, the first filled and the second outlined: told apart without colour as well.
 *
 * Rows: a column `by`, and of each bar `from`, `to`, `count` and `share`.
 *
 * @param options what the bars are of
 * @param options.names the two values of `by`, the filled one first
 */
export function overlaidBars({
  by,
  names,
  x,
  y,
}: {
  by: string;
  names: readonly [string, string];
  x: string;
  y: string;
}): { transform: object[]; mark: object; encoding: object } {
  const colours = [palette.blue, palette.vermillion];
  return {
    transform: [{ filter: "datum.count > 0" }],
    mark: { type: "bar", strokeWidth: 1.5 },
    encoding: {
      x: { field: "from", type: "quantitative", bin: "binned", title: x },
      x2: { field: "to" },
      y: { field: "share", type: "quantitative", stack: null, title: y },
      y2: { datum: 0 },
      color: coded(by, names, colours),
      stroke: coded(by, names, colours),
      fillOpacity: coded(by, names, [0.6, 0.2], "ordinal"),
    },
  };
}

/** A dashed line across a picture: what one may hold the rest against. */
export function dashedRule(encoding: object): object {
  return {
    data: { values: [{}] },
    mark: { type: "rule", strokeDash: [5, 3], strokeWidth: 1.5, color: palette.black },
    encoding,
  };
}
