import { lookEncoding } from "../theme.js";

/**
 * Figure 2: how strongly two models activate some neurons, a pair of bars each, in the order of the data.
 *
 * Rows: `vector` (a label; `|` breaks it into lines, e.g. "L:19|Idx:770"), `model` ("GPT-2" or "DPO"), `mean`, and the
 * interval's `low` and `high`.
 */
export function activationBars(): object {
  const vector = { field: "vector", type: "nominal", sort: null };
  return {
    height: 230,
    width: { step: 42 },
    encoding: {
      x: {
        ...vector,
        title: "layer and index of the value vector",
        axis: { labelExpr: "split(datum.label, '|')", labelAngle: 0, labelLineHeight: 15 },
        scale: { paddingInner: 0.3 },
      },
      xOffset: { field: "model", type: "nominal", sort: ["GPT-2", "DPO"], scale: { padding: 0 } },
    },
    layer: [
      {
        mark: { type: "bar", width: { band: 1 } },
        encoding: {
          y: { field: "mean", type: "quantitative", title: "mean activation" },
          ...lookEncoding("model", { names: ["GPT-2", "DPO"], channels: ["color"] }),
        },
      },
      {
        mark: { type: "rule", color: "#1B1B1B", strokeWidth: 1.5 },
        encoding: { y: { field: "low", type: "quantitative" }, y2: { field: "high" } },
      },
    ],
  };
}
