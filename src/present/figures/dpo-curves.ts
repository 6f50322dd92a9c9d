import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";
import { coded, nominal, quantitative } from "./parts.js";

const MEASURES = [
  { key: "loss", label: "loss (nats)" },
  { key: "rewards/margins", label: "reward margin (nats)" },
  { key: "logps/rejected", label: "log-probability, rejected (nats)" },
  { key: "logps/chosen", label: "log-probability, preferred (nats)" },
] as const;

/** What {@link dpoCurvesFigure} reads of a line of the trainer's log. */
export type DpoCurvePoint = { kind: "train" | "valid"; step: number } & Record<
  (typeof MEASURES)[number]["key"],
  number
>;

/**
 * How loss, margin and log-probabilities go in training, on each step's batch and on the held-out pairs.
 *
 * @param log the trainer's log, in its order
 * @param options what the caption says
 * @param options.best the step whose policy is kept, which a line marks
 */
export function dpoCurvesFigure(
  log: readonly DpoCurvePoint[],
  { best, batchSize, validationSize }: { best: number; batchSize: number; validationSize: number },
): Figure {
  const parts = ["training batch", "held out"] as const;
  const only = (part: string): object[] => [{ filter: `datum.part == '${part}'` }];
  return figure({
    name: "dpo-curves",
    title: "DPO training",
    caption: `Every step's batch of ${batchSize} pairs, and the ${validationSize} held-out pairs; the vertical line marks the policy that is kept (step ${best}).`,
    data: log.flatMap((record) =>
      MEASURES.map(({ key, label }) => ({
        step: record.step,
        part: parts[record.kind === "train" ? 0 : 1],
        measure: label,
        value: record[key],
        best,
      })),
    ),
    spec: {
      facet: nominal("measure", null, { sort: MEASURES.map(({ label }) => label) }),
      columns: 2,
      config: { legend: { symbolType: "stroke", symbolStrokeWidth: 3, symbolOpacity: 1 } },
      resolve: { scale: { y: "independent" } },
      spec: {
        width: 250,
        height: 150,
        layer: [
          {
            mark: { type: "rule", color: palette.grey, strokeDash: [4, 3] },
            encoding: { x: { aggregate: "max", field: "best", type: "quantitative" } },
          },
          {
            transform: only(parts[0]),
            mark: { type: "line", strokeWidth: 1, opacity: 0.45 },
            encoding: {
              x: quantitative("step", "step"),
              y: quantitative("value", null, { scale: { zero: false }, axis: { minExtent: 36 } }),
              color: nominal("part"),
            },
          },
          {
            transform: only(parts[1]),
            mark: { type: "line", point: { size: 25 } },
            encoding: {
              x: quantitative("step"),
              y: quantitative("value"),
              color: coded("part", parts, [palette.skyBlue, palette.vermillion]),
            },
          },
        ],
      },
    },
  });
}
