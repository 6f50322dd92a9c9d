// The house style of figures: one palette that readers with any colour vision can tell apart (Okabe and Ito 2008), shapes
// that repeat what the colours say, and sizes that stay readable at half a page's width.

/** The Okabe–Ito palette by name. */
export const palette = {
  blue: "#0072B2",
  vermillion: "#D55E00",
  green: "#009E73",
  orange: "#E69F00",
  skyBlue: "#56B4E9",
  purple: "#CC79A7",
  yellow: "#F0E442",
  black: "#000000",
  grey: "#6E6E6E",
} as const;

/** A named thing's colour, point shape (Vega's shape names) and line dash, the same in every figure. */
export interface Look {
  name: string;
  color: string;
  shape: string;
  /** stroke dash in pixels; [1, 0] is solid */
  dash: readonly number[];
}

/** The systems that figures compare. The paper's own values are grey diamonds with a dotted line. */
export const modelLooks: readonly Look[] = [
  { name: "GPT-2", color: palette.blue, shape: "circle", dash: [1, 0] },
  { name: "DPO", color: palette.vermillion, shape: "triangle-up", dash: [6, 3] },
  { name: "un-aligned", color: palette.green, shape: "square", dash: [2, 2] },
  { name: "random control", color: palette.grey, shape: "cross", dash: [4, 2] },
  { name: "paper", color: palette.grey, shape: "diamond", dash: [1, 3] },
];

/** How strongly a toxic vector is activated (Figures 4 and 6). */
export const activationLooks: readonly Look[] = [
  { name: "High", color: palette.vermillion, shape: "circle", dash: [1, 0] },
  { name: "Low", color: palette.orange, shape: "circle", dash: [1, 0] },
  { name: "None", color: palette.green, shape: "circle", dash: [1, 0] },
];

/** What {@link lookEncoding} can be told. */
export interface LookOptions {
  /** which looks, in legend order; default: all of them */
  names?: readonly string[];
  /** default {@link modelLooks} */
  looks?: readonly Look[];
  /** legend title; default: the field's name */
  title?: string;
  /** default all; bars and areas take "color" only, points "color" and "shape" */
  channels?: readonly ("color" | "shape" | "strokeDash")[];
}

/**
 * The part of a Vega-Lite encoding that gives each value of `field` its look, with one legend for all channels.
 * Throws on a name that has no look.
 *
 * @example encoding: { x, y, ...lookEncoding("model", { names: ["GPT-2", "DPO"] }) }
 */
export function lookEncoding(field: string, options: LookOptions = {}): Record<string, object> {
  const { looks = modelLooks, title = field, channels = ["color", "shape", "strokeDash"] } = options;
  const chosen = (options.names ?? looks.map((look) => look.name)).map((name) => {
    const look = looks.find((each) => each.name === name);
    if (!look) throw new Error(`unknown look: ${name} (known: ${looks.map((each) => each.name).join(", ")})`);
    return look;
  });
  const domain = chosen.map((look) => look.name);
  const ranges = {
    color: chosen.map((look) => look.color),
    shape: chosen.map((look) => look.shape),
    strokeDash: chosen.map((look) => look.dash),
  };
  return Object.fromEntries(
    channels.map((channel) => [
      channel,
      { field, type: "nominal", title, scale: { domain, range: ranges[channel] } },
    ]),
  );
}

/** DejaVu Sans is shipped with the renderer; Verdana has almost its widths, so an SVG looks alike where only that is there. */
export const fontFamily = "DejaVu Sans, Verdana, sans-serif";

const ink = "#1B1B1B";
const softInk = "#4A4A4A";
const hairline = "#D9D9D9";

/** Colours of the frame around a picture (title, caption). */
export const frameColors = { ink, softInk, background: "#FFFFFF" } as const;

/** The Vega-Lite `config` that every figure gets; a spec's own config wins over it key by key. */
export const theme: Readonly<Record<string, unknown>> = {
  font: fontFamily,
  background: frameColors.background,
  padding: 2,
  view: { stroke: null, continuousWidth: 480, continuousHeight: 280, discreteWidth: { step: 36 } },
  axis: {
    labelFontSize: 12,
    titleFontSize: 13,
    titleFontWeight: "normal",
    titlePadding: 10,
    labelColor: softInk,
    titleColor: ink,
    domainColor: "#888888",
    tickColor: "#888888",
    gridColor: hairline,
    gridOpacity: 0.7,
    labelLimit: 260,
    labelFlush: false,
    labelSeparation: 6,
    // room for long labels, or the axis title would be drawn across them
    maxExtent: 300,
  },
  axisX: { grid: false },
  axisBand: { grid: false },
  legend: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "bold",
    labelColor: ink,
    titleColor: ink,
    symbolSize: 90,
    symbolStrokeWidth: 2,
    labelLimit: 260,
    rowPadding: 4,
  },
  header: {
    labelFontSize: 12,
    labelFontWeight: "bold",
    titleFontSize: 13,
    titleFontWeight: "normal",
    labelColor: ink,
    titleColor: ink,
  },
  title: {
    fontSize: 13,
    fontWeight: "bold",
    color: ink,
    subtitleColor: softInk,
    anchor: "start",
    offset: 10,
  },
  text: { fontSize: 12, color: ink },
  mark: { color: palette.blue },
  bar: { color: palette.blue, discreteBandSize: { band: 0.8 } },
  line: { strokeWidth: 2.25, strokeCap: "round" },
  point: { filled: true, size: 70, opacity: 0.9 },
  errorbar: { ticks: true, thickness: 1.5 },
  errorband: { opacity: 0.22 },
  rule: { color: "#888888" },
  range: {
    category: [
      palette.blue,
      palette.vermillion,
      palette.green,
      palette.orange,
      palette.skyBlue,
      palette.purple,
      palette.yellow,
      palette.black,
    ],
    heatmap: { scheme: "cividis" },
    ramp: { scheme: "cividis" },
    diverging: { scheme: "purpleorange" },
    ordinal: { scheme: "cividis" },
  },
};

type Config = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Config =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `over` on top of `under`, objects merged key by key, everything else replaced. */
export function mergeConfig(under: Config, over: Config): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isObject(below) && isObject(value) ? mergeConfig(below, value) : value;
  }
  return merged;
}
