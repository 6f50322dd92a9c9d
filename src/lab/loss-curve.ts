import { figure, palette } from "../present/index.js";
import type { LossPoint } from "./pretrain.js";

/** The loss of a run against the tokens it has seen, as SVG: of batches, and of held-out documents. */
export async function lossCurve(curve: readonly LossPoint[]): Promise<string> {
  const millions = (tokens: number): number => tokens / 1e6;
  const of = ["training batches", "held-out documents"];
  const data = curve.flatMap(({ tokensSeen, loss, validationLoss }) => [
    { tokens: millions(tokensSeen), loss, of: of[0] },
    ...(validationLoss === undefined
      ? []
      : [{ tokens: millions(tokensSeen), loss: validationLoss, of: of[1] }]),
  ]);
  return await figure({
    name: "loss",
    title: "Loss while training",
    caption:
      "Mean cross-entropy per token, in nats, of training batches and of held-out documents of the same mixture.",
    data,
    spec: {
      width: 420,
      height: 220,
      mark: { type: "line", interpolate: "linear", strokeWidth: 1.2 },
      encoding: {
        x: { field: "tokens", type: "quantitative", title: "million tokens seen" },
        y: { field: "loss", type: "quantitative", scale: { zero: false }, title: "nats per token" },
        color: {
          field: "of",
          type: "nominal",
          title: null,
          scale: { domain: of, range: [palette.grey, palette.vermillion] },
        },
      },
    },
  }).svg();
}
