import { figure, type Figure } from "../figure.js";
import type { Row } from "../rows.js";
import { lookEncoding, palette } from "../theme.js";
import { quantitative } from "./parts.js";

/** What {@link shiftPlaneFigure} draws, in the plane's coordinates. */
export interface DrawnPlane {
  before: readonly { x: number; y: number }[];
  after: readonly { x: number; y: number }[];
  /** The neuron is active where across · x + up · y > edge; `up` is not negative. */
  across: number;
  up: number;
  edge: number;
}

const [WIDTH, HEIGHT] = [460, 300];

/**
 * Figure 3 from data: residual streams before and after alignment, an arrow from the one to the other, the mean shift, and
 * the half-plane in which a toxic neuron is active.
 *
 * @param options what the picture and the caption name
 * @param options.neuron the name of the toxic neuron
 * @param options.prompts of how many prompts those in the plane activate it most
 */
export function shiftPlaneFigure(
  plane: DrawnPlane,
  { neuron, prompts }: { neuron: string; prompts: number },
): Figure {
  return figure({
    name: "figure-3",
    number: 3,
    title: `The shift and the region that activates ${neuron}`,
    caption: `The ${plane.before.length} of ${prompts} prompts that activate it most in GPT-2. The line is where the pre-activation is zero at these points' mean layer-norm scale; δ is their mean shift. A sketch in the paper, data here.`,
    ...drawing(plane, neuron),
  });
}

function drawing(plane: DrawnPlane, neuron: string): { data: Row[]; spec: object } {
  const { before, after, across, up, edge } = plane;
  const boundary = (x: number): number => (edge - across * x) / up;
  const points = [...before, ...after];
  const centre = meanPoint(points);
  const onBoundary = up > 0 ? [{ x: centre.x, y: boundary(centre.x) }] : [{ x: edge / across, y: centre.y }];
  const seen = [...points, ...onBoundary].filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  const [xs, ys] = [domainOf(seen.map(({ x }) => x)), domainOf(seen.map(({ y }) => y))];
  const clip = (y: number): number => Math.min(ys[1], Math.max(ys[0], y));
  const places = Array.from({ length: 201 }, (_, i) => xs[0] + ((xs[1] - xs[0]) * i) / 200);
  // A key along the shift has an upright boundary.
  const floor = (x: number): number => (up > 0 ? clip(boundary(x)) : across * x > edge ? ys[0] : ys[1]);
  const region: Row[] = places.map((x) => ({ kind: "region", x, y: floor(x), top: ys[1] }));
  const line: Row[] = places
    .map((x) => ({ kind: "boundary", x, y: up > 0 ? boundary(x) : NaN }))
    .filter(({ y }) => y >= ys[0] && y <= ys[1]);
  const arrow = (kind: string, from: { x: number; y: number }, to: { x: number; y: number }): Row => ({
    kind,
    x: from.x,
    y: from.y,
    toX: to.x,
    toY: to.y,
    angle:
      (Math.atan2(
        (-(to.y - from.y) * HEIGHT) / (ys[1] - ys[0]),
        ((to.x - from.x) * WIDTH) / (xs[1] - xs[0]),
      ) *
        180) /
      Math.PI,
  });
  const [meanBefore, meanAfter] = [meanPoint(before), meanPoint(after)];
  const data: Row[] = [
    ...region,
    ...line,
    ...before.map((from, i) => arrow("pair", from, after[i] as { x: number; y: number })),
    arrow("mean", meanBefore, meanAfter),
    ...before.map((point) => ({ kind: "point", model: "GPT-2", ...point })),
    ...after.map((point) => ({ kind: "point", model: "DPO", ...point })),
    {
      kind: "label",
      x: (meanBefore.x + meanAfter.x) / 2,
      y: (meanBefore.y + meanAfter.y) / 2,
      text: "mean shift δ",
    },
    ...cornerWords(xs, ys, plane, neuron),
  ];
  return { data, spec: specOf(xs, ys) };
}

function specOf(xs: Ends, ys: Ends): object {
  const only = (kind: string): object => ({ transform: [{ filter: `datum.kind == '${kind}'` }] });
  const x = quantitative("x", "along the mean shift δ", {
    scale: { domain: xs, nice: false, zero: false },
    axis: { grid: false },
  });
  const y = quantitative("y", "along the key, at a right angle to δ", {
    scale: { domain: ys, nice: false, zero: false },
    axis: { grid: false },
  });
  const stroke = (kind: string, mark: object): object => ({
    ...only(kind),
    mark: { type: "rule", ...mark },
    encoding: { x, y, x2: { field: "toX" }, y2: { field: "toY" } },
  });
  const head = (kind: string, mark: object): object => ({
    ...only(kind),
    mark: { type: "point", shape: "triangle-right", filled: true, opacity: 1, ...mark },
    encoding: {
      x: { ...x, field: "toX" },
      y: { ...y, field: "toY" },
      angle: quantitative("angle", undefined, { scale: null }),
    },
  });
  const words = (kind: string, mark: object): object => ({
    ...only(kind),
    mark: { type: "text", ...mark },
    encoding: { x, y, text: { field: "text" } },
  });
  return {
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        ...only("region"),
        mark: {
          type: "area",
          color: palette.orange,
          opacity: 0.22,
        },
        encoding: { x, y, y2: { field: "top" } },
      },
      {
        ...only("boundary"),
        mark: { type: "line", color: palette.orange, strokeWidth: 2 },
        encoding: { x, y },
      },
      stroke("pair", { color: palette.grey, strokeDash: [1, 3], strokeWidth: 1.5 }),
      {
        ...only("point"),
        mark: { type: "point", filled: true, size: 80 },
        encoding: {
          x,
          y,
          ...lookEncoding("model", { names: ["GPT-2", "DPO"], channels: ["color", "shape"] }),
        },
      },
      stroke("mean", { color: palette.black, strokeWidth: 2.5 }),
      head("mean", { color: palette.black, size: 130 }),
      words("label", { dy: -12, fontWeight: "bold" }),
      words("top-left", { align: "left", baseline: "top", dx: 8, dy: 8 }),
      words("top-right", { align: "right", baseline: "top", dx: -8, dy: 8 }),
      words("bottom-left", { align: "left", baseline: "bottom", dx: 8, dy: -8 }),
      words("bottom-right", { align: "right", baseline: "bottom", dx: -8, dy: -8 }),
    ],
  };
}

/** Which side is which, each said in the corner that lies deepest in it; the far side may be out of the picture. */
function cornerWords(xs: Ends, ys: Ends, { across, up, edge }: DrawnPlane, neuron: string): Row[] {
  const corners = [
    { kind: "top-left", x: xs[0], y: ys[1] },
    { kind: "top-right", x: xs[1], y: ys[1] },
    { kind: "bottom-left", x: xs[0], y: ys[0] },
    { kind: "bottom-right", x: xs[1], y: ys[0] },
  ].map((corner) => ({ ...corner, value: across * corner.x + up * corner.y - edge }));
  const [least, , , most] = corners.sort((a, b) => a.value - b.value) as [Corner, Corner, Corner, Corner];
  const said: Row[] = [];
  if (most.value > 0) said.push({ kind: most.kind, x: most.x, y: most.y, text: `${neuron} active` });
  if (least.value < 0) said.push({ kind: least.kind, x: least.x, y: least.y, text: `${neuron} not active` });
  return said;
}

interface Corner {
  kind: string;
  x: number;
  y: number;
  value: number;
}

type Ends = [number, number];

function meanPoint(points: readonly { x: number; y: number }[]): { x: number; y: number } {
  const over = (pick: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  return { x: over(({ x }) => x), y: over(({ y }) => y) };
}

/** The ends of some values with a tenth of their range on either side. */
function domainOf(values: readonly number[]): Ends {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = (most - least || 1) / 8;
  return [least - margin, most + margin];
}
