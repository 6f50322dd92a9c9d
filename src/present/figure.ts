import { join } from "node:path";
import { inspect } from "node:util";
import { messageOf } from "@alignscope/base/errors";
import { writeFileAtomic } from "@alignscope/base/files";
import type { MaskOptions } from "./mask.js";
import { mask, maskDistinct } from "./mask.js";
import { checkName, numberedName } from "./naming.js";
import { EXHIBIT_KEY, type ExhibitMark, type MimeOutput, type Presentable } from "./notebook.js";
import { drawVegaLite, frameSvg, svgToPng } from "./render.js";
import type { Row } from "./rows.js";
import { toCsv } from "./rows.js";
import { mergeConfig, theme } from "./theme.js";

/** What a figure is made of. */
export interface FigureOptions extends MaskOptions {
  /** file name without extension, e.g. "figure-1" */
  name: string;
  /** its number in the paper, written before the title */
  number?: number | string;
  title: string;
  caption: string;
  /** a Vega-Lite specification without data, title and $schema; its config wins over the house theme key by key */
  spec: object;
  /** the rows that the specification reads */
  data: readonly Row[];
}

/** What a figure is called, for functions that draw several. */
export type FigureLabels = Pick<FigureOptions, "name" | "number" | "title" | "caption">;

const schema = "https://vega.github.io/schema/vega-lite/v6.json";
/** What JupyterLab and VS Code draw; these specifications say nothing that version 5 does not know. */
const shown = {
  mimeType: "application/vnd.vegalite.v5+json",
  schema: "https://vega.github.io/schema/vega-lite/v5.json",
};

/** Above this size the interactive version stays out of the notebook; the picture and the saved file remain. */
const largestBundle = 400_000;

/** Rows for a picture: texts masked so that different ones stay different, numbers as JSON can carry them. */
function drawnRows(rows: readonly Row[], options: MaskOptions): Record<string, unknown>[] {
  const texts = rows.flatMap((row) => Object.values(row).filter((cell) => typeof cell === "string"));
  const masked = maskDistinct(texts, options);
  return rows.map((row) =>
    Object.fromEntries<unknown>(
      Object.entries(row).map(([key, cell]): [string, unknown] => {
        if (typeof cell === "string") return [key, masked.get(cell)];
        // Vega leaves null out of a mark, which is what an undefined number should look like
        if (typeof cell === "number") return [key, Number.isFinite(cell) ? cell : null];
        return [
          key,
          typeof cell === "object" && cell ? cell.map((token) => mask(token, options)) : (cell ?? null),
        ];
      }),
    ),
  );
}

/** A figure: data, specification and pictures of it. Offensive words are masked in pictures, never in the data's CSV. */
export class Figure implements Presentable {
  readonly name: string;
  private readonly options: FigureOptions;
  private readonly words: MaskOptions;
  private drawing: Promise<string> | undefined;

  /** Prefer {@link figure}. */
  constructor(options: FigureOptions) {
    checkName("figure", options.name);
    this.name = options.name;
    this.options = options;
    this.words = options.show === undefined ? {} : { show: options.show };
  }

  private get label(): string | undefined {
    return numberedName("Figure", this.options.number);
  }

  private get title(): string {
    return mask(this.options.title, this.words);
  }

  private get caption(): string {
    return mask(this.options.caption, this.words);
  }

  private specification(): Record<string, unknown> {
    const spec = this.options.spec as Record<string, unknown>;
    const own = typeof spec["config"] === "object" && spec["config"] !== null ? spec["config"] : {};
    return {
      $schema: schema,
      ...spec,
      data: { values: drawnRows(this.options.data, this.words) },
      config: mergeConfig(theme, own as Record<string, unknown>),
    };
  }

  /** The whole Vega-Lite specification: theme, title and masked data included. Any Vega-Lite 6 editor draws it. */
  vegaLite(): Record<string, unknown> {
    const lead = `${this.label ? `${this.label}. ` : ""}${this.title}`;
    return { description: this.caption, ...this.specification(), title: lead };
  }

  /**
   * The picture with title and caption. Drawn once.
   *
   * @throws Error naming the figure when the specification does not compile. What Vega merely warns about goes to console.warn.
   */
  svg(): Promise<string> {
    const warn = (message: string): void => console.warn(`figure ${this.name}: ${message}`);
    this.drawing ??= drawVegaLite(this.specification(), warn)
      .then((drawing) =>
        frameSvg(drawing, { name: this.name, number: this.label, title: this.title, caption: this.caption }),
      )
      .catch((error: unknown) => {
        throw new Error(`figure ${this.name}: ${messageOf(error)}`);
      });
    return this.drawing;
  }

  /** The picture as PNG, `scale` pixels per SVG unit. */
  async png(scale = 2): Promise<Uint8Array> {
    return svgToPng(await this.svg(), scale).png;
  }

  /** The data with every digit, nothing masked. */
  csv(): string {
    return toCsv(this.options.data);
  }

  /** What the picture is, for pages and indexes that show it; nothing masked. */
  json(): { name: string; number: string | null; title: string; caption: string } {
    const { name, number, title, caption } = this.options;
    return { name, number: number === undefined ? null : String(number), title, caption };
  }

  /**
   * Writes `<folder>/figures/<name>.{svg,png,csv,vl.json,json}`; nothing is written when drawing fails, and each file
   * whole or not at all.
   *
   * @param folder the folder of the run, e.g. outputs/lab
   * @returns the paths written
   */
  async save(folder: string): Promise<string[]> {
    const svg = await this.svg();
    const files: [extension: string, content: string | Uint8Array][] = [
      ["svg", svg],
      ["png", svgToPng(svg).png],
      ["csv", this.csv()],
      ["vl.json", `${JSON.stringify(this.vegaLite(), null, 1)}\n`],
      ["json", `${JSON.stringify(this.json(), null, 2)}\n`],
    ];
    return files.map(([extension, content]) => {
      const path = join(folder, "figures", `${this.name}.${extension}`);
      writeFileAtomic(path, content);
      return path;
    });
  }

  /** The title and caption in words, for clients that show no pictures. */
  text(): string {
    return `[${this.label ?? "Figure"}: ${this.title}] ${this.caption}`;
  }

  /** What a notebook shows: PNG at half its pixel size, interactive Vega-Lite where the client has it, words elsewhere. */
  async mimeBundle(): Promise<MimeOutput> {
    const { png, width, height } = svgToPng(await this.svg());
    const spec = this.vegaLite();
    return {
      data: {
        "image/png": png,
        ...(JSON.stringify(spec).length <= largestBundle
          ? { [shown.mimeType]: { ...spec, $schema: shown.schema } }
          : {}),
        "text/plain": this.text(),
      },
      metadata: {
        "image/png": { width: Math.round(width / 2), height: Math.round(height / 2) },
        [EXHIBIT_KEY]: { figure: this.name } satisfies ExhibitMark,
      },
    };
  }

  /** As the last expression of a cell, or in console.log: the words. */
  [inspect.custom](): string {
    return this.text();
  }
}

/**
 * A figure from a Vega-Lite specification and rows.
 *
 * @example
 * const lens = figure({ name: "figure-1", number: 1, title: "Logit lens", caption: "…", data,
 *   spec: { mark: "line", encoding: { x: { field: "layer", type: "quantitative", title: "layer" },
 *     y: { field: "probability", type: "quantitative", title: "mean probability" } } } });
 * await show(lens);
 * await lens.save("outputs/lab");
 */
export function figure(options: FigureOptions): Figure {
  return new Figure(options);
}
