import { figure, type Figure } from "../figure.js";
import { type Look, lookEncoding, palette } from "../theme.js";
import { quantitative } from "./parts.js";

const LOOKS = {
  subtraction: { name: "− a direction (table 2)", color: palette.vermillion, shape: "circle" },
  randomSubtraction: { name: "− a random direction", color: palette.grey, shape: "circle" },
  published: { name: "scaled keys, published ranking", color: palette.blue, shape: "square" },
  ours: { name: "scaled keys, our rankings", color: palette.green, shape: "triangle-up" },
  randomKeys: { name: "scaled keys, random", color: palette.grey, shape: "cross" },
} as const;

/** An intervention: how far it moves mean toxicity, and what it costs. */
export interface Trade {
  name: string;
  kind: keyof typeof LOOKS;
  /** absolute change of mean toxicity */
  moved: number;
  /** relative */
  perplexityChange: number;
}

/**
 * How far each intervention moves toxicity, against what it costs in perplexity.
 *
 * @param options what else is drawn
 * @param options.gap the toxicity that DPO took away
 */
export function unalignPriceFigure(trades: readonly Trade[], { gap }: { gap: number }): Figure {
  const looks: Look[] = Object.values(LOOKS).map((look) => ({ ...look, dash: [1, 0] }));
  return figure({
    name: "unalign-price",
    title: "How far toxicity moves, and what it costs",
    caption:
      "Subtractions: from GPT-2, change against GPT-2. Scaled keys: from DPO, change against DPO. Dashed: what DPO took away.",
    data: trades.map((trade) => ({ ...trade, kind: LOOKS[trade.kind].name })),
    spec: {
      width: 440,
      height: 270,
      layer: [
        {
          data: { values: [{ gap }] },
          mark: { type: "rule", color: palette.grey, strokeDash: [5, 4] },
          encoding: { y: quantitative("gap") },
        },
        {
          mark: { type: "point", filled: true, size: 85, opacity: 0.85 },
          encoding: {
            x: quantitative("perplexityChange", "change of perplexity", { axis: { format: "~%" } }),
            y: quantitative("moved", "change of mean toxicity, absolute", {
              scale: { domain: [0, 1.1 * Math.max(gap, ...trades.map(({ moved }) => moved))], nice: false },
            }),
            ...lookEncoding("kind", { title: "what is done", channels: ["color", "shape"], looks }),
          },
        },
      ],
    },
  });
}
