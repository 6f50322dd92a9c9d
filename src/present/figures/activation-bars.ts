import { figure, type Figure } from "../figure.js";
import { lookEncoding } from "../theme.js";
import { nominal, quantitative } from "./parts.js";

/** A bar of {@link activationBarsFigure}: a neuron's mean activation in one model, and its interval. */
export interface ActivationBar {
  /** a label that `|` breaks into lines, e.g. "L:19|Idx:770" */
  vector: string;
  model: "GPT-2" | "DPO";
  mean: number;
  low: number;
  high: number;
}

/**
 * Figure 2: how strongly two models activate some neurons, a pair of bars each, in the order of the data.
 *
 * @param options what the caption says
 * @param options.reading what both models read, e.g. "each model reading its own"
 */
export function activationBarsFigure(
  bars: readonly ActivationBar[],
  { tokens, prompts, reading }: { tokens: number; prompts: number; reading: string },
): Figure {
  const vectors = new Set(bars.map(({ vector }) => vector)).size;
  return figure({
    name: "figure-2",
    number: 2,
    title: `Mean activations of the ${vectors} leading toxic vectors`,
    caption: `Over ${tokens} greedy tokens after each of ${prompts} prompts, ${reading}; lines: 95% bootstrap intervals over prompts.`,
    data: bars.map((bar) => ({ ...bar })),
    spec: activationBars(),
  });
}

function activationBars(): object {
  return {
    height: 230,
    width: { step: 42 },
    encoding: {
      x: nominal("vector", "layer and index of the value vector", {
        sort: null,
        axis: { labelExpr: "split(datum.label, '|')", labelAngle: 0, labelLineHeight: 15 },
        scale: { paddingInner: 0.3 },
      }),
      xOffset: nominal("model", undefined, { sort: ["GPT-2", "DPO"], scale: { padding: 0 } }),
    },
    layer: [
      {
        mark: { type: "bar", width: { band: 1 } },
        encoding: {
          y: quantitative("mean", "mean activation"),
          ...lookEncoding("model", { names: ["GPT-2", "DPO"], channels: ["color"] }),
        },
      },
      {
        mark: { type: "rule", color: "#1B1B1B", strokeWidth: 1.5 },
        encoding: { y: quantitative("low"), y2: { field: "high" } },
      },
    ],
  };
}
