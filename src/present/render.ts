import { createRequire } from "node:module";
import type { TopLevelSpec } from "vega-lite";
import { fontFiles, textWidth, wrapText } from "./fonts.js";
import { svgMath, typesetSvg } from "./svg-math.js";
import { escape as escapeHtml } from "html-escaper";
import { fontFamily, frameColors } from "./theme.js";

// Vega-Lite → Vega → SVG → PNG, all in this process, without a browser or a canvas.

interface TextItem {
  fontSize?: number;
  fontWeight?: string | number;
  fontStyle?: string;
  limit?: number;
}

/** As Vega calls it: a text item and, for one line of several, that line. */
type MeasureText = (item: TextItem & { text?: unknown }, text?: unknown) => number;

const measure: MeasureText = (item, text = item.text) => {
  if (text === undefined || text === null) return 0;
  const bold = item.fontWeight === "bold" || Number(item.fontWeight) >= 600;
  const italic = item.fontStyle === "italic" || item.fontStyle === "oblique";
  const width = textWidth(String(text), { size: item.fontSize ?? 11, bold, italic });
  return item.limit && item.limit > 0 ? Math.min(width, item.limit) : width;
};

/** vega and vega-lite are ES modules with top-level await: only a dynamic import loads them from here. */
async function libraries(): Promise<{ vega: typeof import("vega"); vegaLite: typeof import("vega-lite") }> {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  // Without a canvas Vega guesses 0.8 em per letter, a third too wide; this is the hook that it offers for better.
  const metrics = (vega as unknown as { textMetrics: { width: MeasureText } }).textMetrics;
  metrics.width = measure;
  return { vega, vegaLite };
}

interface Legend {
  shape?: unknown;
  strokeDash?: unknown;
}

/** Takes the dashes out of legends that show shapes: a dashed outline around a small filled symbol is a smudge. */
function plainLegendSymbols(scope: { legends?: unknown; marks?: unknown }): void {
  for (const legend of (scope.legends ?? []) as Legend[]) if (legend.shape) delete legend.strokeDash;
  for (const mark of (scope.marks ?? []) as object[]) plainLegendSymbols(mark);
}

/**
 * The drawing of a Vega-Lite spec alone, without title and caption.
 *
 * @param warn takes what the libraries warn about (a channel that a mark lacks, a scale without data)
 * @throws Error with the libraries' words when the spec does not compile or draw
 */
export async function drawVegaLite(spec: object, warn: (message: string) => void): Promise<string> {
  const { vega, vegaLite } = await libraries();
  const errors: string[] = [];
  const words = (parts: readonly unknown[]): string => parts.map(String).join(" ");
  const logger = {
    level: () => logger,
    error: (...parts: unknown[]) => (errors.push(words(parts)), logger),
    warn: (...parts: unknown[]) => (warn(words(parts)), logger),
    info: () => logger,
    debug: () => logger,
  };
  const compiled = vegaLite.compile(spec as TopLevelSpec, { logger: logger }).spec;
  plainLegendSymbols(compiled);
  const view = new vega.View(vega.parse(compiled), { renderer: "none", logger: logger });
  try {
    const svg = await view.toSVG();
    if (errors.length > 0) throw new Error([...new Set(errors)].join("; "));
    return svg;
  } finally {
    view.finalize();
  }
}

/** The words around a picture. */
export interface Surround {
  /** prefix of every id in the SVG: several figures on one page must not share them */
  name: string;
  number: string | undefined;
  title: string;
  caption: string;
}

const margin = 24;
const leastWidth = 460;
const titleStyle = { size: 15, bold: true, leading: 21 };
const captionStyle = { size: 12, leading: 18 };

function textBlock(
  lines: string[],
  y: number,
  style: { size: number; leading: number },
  extra: string,
): string {
  const spans = lines.map(
    (line, index) =>
      `<tspan x="${margin}" y="${y + style.size + index * style.leading}">${svgMath(escapeHtml(line))}</tspan>`,
  );
  return `<text font-family="${fontFamily}" font-size="${style.size}px" ${extra}>${spans.join("")}</text>`;
}

/**
 * The drawing with its numbered title above and its caption below, as an SVG that stands alone and that a screen reader
 * can name. W_toxic and the like are set as mathematics. Ids are made unique to the figure, colours are explicit, nothing is fetched.
 */
export function frameSvg(drawing: string, around: Surround): string {
  const root = /^<svg[^>]*\swidth="([\d.]+)"[^>]*\sheight="([\d.]+)"[^>]*>/.exec(drawing);
  if (!root) throw new Error(`figure ${around.name}: Vega's SVG has no width and height`);
  const inner = { width: Math.ceil(Number(root[1])), height: Math.ceil(Number(root[2])) };
  const content = Math.max(inner.width, leastWidth);
  const width = content + 2 * margin;

  const title = `${around.number ? `${around.number}. ` : ""}${around.title.replace(/\.$/, "")}.`;
  const titleLines = wrapText(title, content, titleStyle);
  const captionLines = wrapText(around.caption, content, captionStyle);
  const top = margin + titleLines.length * titleStyle.leading + 10;
  const below = top + inner.height + 14;
  const height = captionLines.length
    ? below + captionLines.length * captionStyle.leading + margin
    : top + inner.height + margin;

  const prefix = around.name.replace(/[^A-Za-z0-9_-]/g, "-");
  // Vega numbers gradients and clips through a process: numbered from 0 in each figure, the same one has the same bytes.
  const ids = new Map<string, string>();
  for (const [, id = ""] of drawing.matchAll(/\bid="([^"]+)"/g)) {
    if (!ids.has(id)) ids.set(id, `${prefix}-${id.replace(/\d+$/, "")}${ids.size}`);
  }
  const own = (id: string): string => ids.get(id) ?? `${prefix}-${id}`;
  const drawn = typesetSvg(drawing)
    .replace(/\bid="([^"]+)"/g, (_, id: string) => `id="${own(id)}"`)
    .replace(/url\(#([^)]+)\)/g, (_, id: string) => `url(#${own(id)})`)
    .replace(/href="#([^"]+)"/g, (_, id: string) => `href="#${own(id)}"`)
    .replace(/^<svg/, `<svg x="${margin + (content - inner.width) / 2}" y="${top}"`);

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" ` +
      `aria-labelledby="${prefix}-title ${prefix}-caption" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title id="${prefix}-title">${escapeHtml(title)}</title>`,
    `<desc id="${prefix}-caption">${escapeHtml(around.caption)}</desc>`,
    `<rect width="${width}" height="${height}" fill="${frameColors.background}"/>`,
    textBlock(titleLines, margin - 3, titleStyle, `font-weight="bold" fill="${frameColors.ink}"`),
    drawn,
    ...(captionLines.length
      ? [textBlock(captionLines, below, captionStyle, `fill="${frameColors.softInk}"`)]
      : []),
    `</svg>`,
    "",
  ].join("\n");
}

/** A PNG of an SVG, `scale` pixels per SVG unit, drawn with the fonts of {@link fontFiles} only. */
export function svgToPng(svg: string, scale = 2): { png: Uint8Array; width: number; height: number } {
  // Loaded with the first picture: most cells that import this library draw none.
  const { Resvg } = createRequire(import.meta.url)("@resvg/resvg-js") as typeof import("@resvg/resvg-js");
  const image = new Resvg(svg, {
    fitTo: { mode: "zoom", value: scale },
    background: frameColors.background,
    font: {
      loadSystemFonts: false,
      fontFiles: fontFiles(),
      defaultFontFamily: "DejaVu Sans",
      sansSerifFamily: "DejaVu Sans",
      monospaceFamily: "DejaVu Sans Mono",
    },
  }).render();
  return { png: image.asPng(), width: image.width, height: image.height };
}
