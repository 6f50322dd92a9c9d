import { palette } from "../theme.js";

// Parts of Vega-Lite specifications that several figures have.

const channel =
  (type: "quantitative" | "nominal" | "ordinal") =>
  (field: string, title?: string | null, more: object = {}): object => ({
    ...{ field, type },
    ...(title === undefined ? {} : { title }),
    ...more,
  });

/** A channel that reads a number of each row; `title` null is none, and left out it is another layer's. */
export const quantitative = channel("quantitative");

/** A channel that reads a name of each row. */
export const nominal = channel("nominal");

/** A channel that reads what has an order and no distances. */
export const ordinal = channel("ordinal");

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
export const layerAxis = ordinal("layer", "layer", { axis: { labelAngle: 0 } });

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
      x: quantitative("from", x, { bin: "binned" }),
      x2: { field: "to" },
      y: quantitative("share", y, { stack: null }),
      y2: { datum: 0 },
      color: coded(by, names, colours),
      stroke: coded(by, names, colours),
      fillOpacity: coded(by, names, [0.6, 0.2], "ordinal"),
    },
  };
}

/** An upright line per colour where a column, the same in all rows of the colour, says that its middle is. */
export function middleRule(column: string, color: object): object {
  return {
    mark: { type: "rule", strokeWidth: 2 },
    encoding: { x: { aggregate: "mean", field: column, type: "quantitative" }, color },
  };
}

/**
 * Bars side by side, a group per layer, of what adds up to a residual shift before the MLP of `below`.
 *
 * Rows: `layer`, `share` and a column `by`, which takes the colours' names.
 */
export function shiftBars(
  x: object,
  by: string,
  colours: Readonly<Record<string, string>>,
  below: number,
): object {
  const names = Object.keys(colours);
  return {
    width: Math.max(320, 40 * below),
    height: 220,
    mark: { type: "bar" },
    encoding: {
      x,
      xOffset: nominal(by, undefined, { sort: names }),
      y: quantitative("share", "share of the shift", { axis: { format: "%" } }),
      color: coded(by, names, Object.values(colours)),
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
