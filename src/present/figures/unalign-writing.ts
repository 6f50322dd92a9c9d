import { figure, type Figure } from "../figure.js";
import { lookEncoding, palette } from "../theme.js";
import { quantitative } from "./parts.js";

/** What a system's MLPs have written along a direction up to a layer. */
export interface WrittenSoFar {
  system: string;
  layer: number;
  /** by the layer's own MLP */
  value: number;
  /** by it and all below */
  sum: number;
}

const LOOKS = [
  { color: palette.blue, shape: "circle", dash: [1, 0] },
  { color: palette.vermillion, shape: "triangle-up", dash: [6, 3] },
  { color: palette.purple, shape: "diamond", dash: [1, 3] },
  { color: palette.green, shape: "square", dash: [1, 0] },
];

/**
 * How much the MLPs of at most four systems have written along W_toxic, layer by layer.
 *
 * @param options what the caption says
 * @param options.comments how many texts the means are over
 */
export function unalignWritingFigure(
  written: readonly WrittenSoFar[],
  { comments }: { comments: number },
): Figure {
  const systems = [...new Set(written.map(({ system }) => system))];
  const looks = systems.map((name, i) => ({ name, ...LOOKS[i % LOOKS.length]! }));
  return figure({
    name: "unalign-writing",
    title: "What the MLPs have written along W_toxic",
    caption: `Sum over blocks up to each layer of MLP output · W_toxic / ‖W_toxic‖, at the last token of ${comments} beginnings of toxic comments, averaged.`,
    data: written.map((row) => ({ ...row })),
    spec: {
      width: 440,
      height: 240,
      mark: { type: "line", point: { size: 50 } },
      encoding: {
        x: quantitative("layer", "layer", { axis: { tickMinStep: 1, format: "d" } }),
        y: quantitative("sum", "written along W_toxic so far"),
        ...lookEncoding("system", { title: "model", looks }),
      },
    },
  });
}
