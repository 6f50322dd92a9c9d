import type { Json } from "jupyter-wire";
import type { Shown } from "../../wire/index.js";
import { jsonText } from "./bundle.js";
import type { Renderer } from "./renderer.js";
import { propertiesOf, textOnly } from "./renderer.js";
import { count, oneLine, shortened } from "./words.js";

/** The interactive version of a larger chart stays out: a notebook with it would be slow to open. */
const largestSpec = 4_000_000;
/** More rows take seconds to draw, and megabytes. */
const mostRowsDrawn = 20_000;
const largestPicture = 4_000_000;

/** The newest version that JupyterLab, VS Code and GitHub draw: a later specification is sent as one of it. */
const newestShown = 5;

/** Width and height of a chart that says neither, in the version 5 that clients have and in 6. */
const UNSIZED = { 5: 200, 6: 300 };

interface Kind {
  language: "vega" | "vega-lite";
  major: number;
}

/** Vega-Lite and Vega specifications: the interactive chart where the client has it, a drawing elsewhere, words in any case. */
export const specifications: Renderer = {
  what: "a chart",
  async render(value) {
    const spec = propertiesOf(value);
    const kind = spec && kindOf(spec);
    if (!kind) return undefined;
    const words = describe(spec, kind);
    const json = jsonText(spec);
    if (json.length > largestSpec) {
      return textOnly(`${words}\n(too large to show: ${count(json.length, "character")} of JSON)`);
    }
    // A copy: neither the libraries nor anybody later changes what is sent.
    const copy = JSON.parse(json) as Record<string, Json>;
    const major = Math.min(kind.major, newestShown);
    const type = `application/vnd.${kind.language === "vega" ? "vega" : "vegalite"}.v${major}+json`;
    const sized = kind.language === "vega" ? copy : withSize(copy, UNSIZED[kind.major > newestShown ? 6 : 5]);
    const { svg, note } = await drawn(sized, kind);
    const sent =
      kind.major > newestShown
        ? { ...sized, $schema: `https://vega.github.io/schema/${kind.language}/v${newestShown}.json` }
        : copy;
    const shown: Shown = { data: { [type]: sent }, metadata: {} };
    if (svg !== undefined) shown.data["image/svg+xml"] = svg;
    shown.data["text/plain"] = note === undefined ? words : `${words}\n(${note})`;
    return shown;
  },
};

/** Says the size of a chart that leaves it to the version that draws it. */
function withSize(spec: Record<string, Json>, size: number): Record<string, Json> {
  const config = propertiesOf(spec["config"]) as Record<string, Json> | undefined;
  const view = propertiesOf(config?.["view"]) as Record<string, Json> | undefined;
  return {
    ...spec,
    config: { ...config, view: { continuousWidth: size, continuousHeight: size, ...view } },
  };
}

async function drawn(spec: Record<string, Json>, kind: Kind): Promise<{ svg?: string; note?: string }> {
  const rows = rowsIn(spec);
  if (rows > mostRowsDrawn) return { note: `not drawn here: more than ${count(mostRowsDrawn, "row")}` };
  try {
    const { drawVega, drawVegaLite } = await import("./vega.js");
    // The libraries add to what they are given.
    const own = structuredClone(spec);
    const svg = kind.language === "vega" ? await drawVega(own) : await drawVegaLite(own);
    return svg.length > largestPicture ? { note: "the drawing is too large to show" } : { svg };
  } catch (error) {
    return { note: `not drawn here: ${oneLine(error).replace(/^Error: /, "")}` };
  }
}

const marks = new Set(
  "arc area bar boxplot circle errorband errorbar geoshape image line point rect rule square text tick trail".split(
    " ",
  ),
);

function kindOf(spec: Record<PropertyKey, unknown>): Kind | undefined {
  const schema: unknown = spec["$schema"];
  if (typeof schema === "string") {
    const found = /\/schema\/(vega|vega-lite)\/v(\d+)[^/]*$/.exec(schema);
    return found ? { language: found[1] as Kind["language"], major: Number(found[2]) } : undefined;
  }
  return looksLikeVegaLite(spec) ? { language: "vega-lite", major: newestShown } : undefined;
}

function looksLikeVegaLite(spec: Record<PropertyKey, unknown>): boolean {
  const hasData = propertiesOf(spec["data"]) !== undefined;
  const hasEncoding = propertiesOf(spec["encoding"]) !== undefined;
  if (!hasData && !hasEncoding) return false;
  if (marks.has(markOf(spec) ?? "")) return true;
  const parts = ["layer", "concat", "hconcat", "vconcat"].map((name) => spec[name]).find(Array.isArray);
  if (parts) return parts.length > 0 && parts.every((part) => propertiesOf(part) !== undefined);
  return propertiesOf(spec["spec"]) !== undefined && (spec["repeat"] ?? spec["facet"]) !== undefined;
}

function markOf(spec: Record<PropertyKey, unknown>): string | undefined {
  const mark = propertiesOf(spec["mark"])?.["type"] ?? spec["mark"];
  return typeof mark === "string" ? mark : undefined;
}

/** "Vega-Lite chart: Toxicity by layer (line, 24 rows)" */
function describe(spec: Record<PropertyKey, unknown>, { language }: Kind): string {
  const name = language === "vega" ? "Vega" : "Vega-Lite";
  const title = propertiesOf(spec["title"])?.["text"] ?? spec["title"];
  const lead = typeof title === "string" ? `: ${title}` : Array.isArray(title) ? `: ${title.join(" ")}` : "";
  const form = ["layer", "hconcat", "vconcat", "concat", "repeat", "facet"].find((each) => each in spec);
  const rows = rowsIn(spec);
  const details = [markOf(spec) ?? form, rows > 0 ? count(rows, "row") : undefined].filter(Boolean);
  return `[${name} chart${shortened(lead, 300)}${details.length > 0 ? ` (${details.join(", ")})` : ""}]`;
}

/** Rows that the specification carries itself, at its top: `data.values`, `datasets`, and Vega's list of data. */
function rowsIn(spec: Record<PropertyKey, unknown>): number {
  const data: unknown = spec["data"];
  const lists = [
    ...(Array.isArray(data) ? data : [data]).map((source) => propertiesOf(source)?.["values"]),
    ...Object.values(propertiesOf(spec["datasets"]) ?? {}),
  ];
  return lists.reduce<number>((total, list) => total + (Array.isArray(list) ? list.length : 0), 0);
}
