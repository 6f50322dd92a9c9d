import type { Loader, Spec } from "vega";
import type { TopLevelSpec } from "vega-lite";

/*
 * Drawing with the installed Vega and Vega-Lite, without a browser. Both are ES modules, loaded with the first chart.
 */

type Vega = typeof import("vega");

interface TextItem {
  fontSize?: number;
  limit?: number;
  text?: unknown;
}

/** The hook by which Vega lets others measure text, which its types leave out. */
interface TextMetrics {
  width: (item: TextItem, text?: unknown) => number;
  estimateWidth: TextMetrics["width"];
}

async function loadVega(): Promise<Vega> {
  const vega = await import("vega");
  const metrics = (vega as unknown as { textMetrics: TextMetrics }).textMetrics;
  // Without a canvas Vega guesses 0.8 em per letter, a third too wide. A library that measures better stays in charge.
  if (metrics.width === metrics.estimateWidth) {
    metrics.width = (item, text = item.text) => {
      const width = String(text ?? "").length * 0.55 * (item.fontSize ?? 11);
      return item.limit && item.limit > 0 ? Math.min(width, item.limit) : width;
    };
  }
  return vega;
}

/** Throws an Error with the library's words when the specification does not compile. */
export async function drawVegaLite(spec: object): Promise<string> {
  const [vega, vegaLite] = await Promise.all([loadVega(), import("vega-lite")]);
  const compiled = vegaLite.compile(spec as TopLevelSpec, { logger: logger([]) }).spec;
  return draw(vega, compiled);
}

/** Throws an Error with the library's words when the specification is not valid. */
export async function drawVega(spec: object): Promise<string> {
  return draw(await loadVega(), spec);
}

async function draw(vega: Vega, spec: Spec): Promise<string> {
  const errors: string[] = [];
  const refused: string[] = [];
  const view = new vega.View(vega.parse(spec), {
    renderer: "none",
    logger: logger(errors),
    loader: refusing(vega.loader(), refused),
  });
  try {
    const svg = await view.toSVG();
    if (refused.length > 0) throw new Error(`data at ${refused[0]} is left to the client`);
    if (errors.length > 0) throw new Error(errors[0]);
    return svg;
  } finally {
    view.finalize();
  }
}

/** Showing a value fetches nothing, neither from the network nor from the disk. Links in a chart stay links. */
function refusing(loader: Loader, refused: string[]): Loader {
  const refuse = (uri: unknown): Promise<never> => {
    refused.push(String(uri));
    return Promise.reject(new Error("nothing is fetched"));
  };
  const sanitize: Loader["sanitize"] = (uri, options) => {
    const link = (options as { context?: string } | undefined)?.context === "href";
    return link || uri.startsWith("data:") ? loader.sanitize(uri, options) : refuse(uri);
  };
  return { ...loader, load: refuse, http: refuse, file: refuse, sanitize };
}

/** Collects errors and drops the rest: a chart that only could be better is still a chart. */
function logger(errors: string[]) {
  const self = {
    level: () => self,
    error: (...parts: readonly unknown[]) => (errors.push(parts.map(String).join(" ")), self),
    warn: () => self,
    info: () => self,
    debug: () => self,
  };
  return self;
}
