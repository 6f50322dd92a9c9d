import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PaperClaim, paperClaims } from "../present/claims/index.js";
import { drawVegaLite, svgToPng } from "../present/render.js";
import { typesetSvg } from "../present/svg-math.js";
import type { Exhibit } from "./exhibits.js";
import { type Highlight, openHighlighter } from "./html/highlight.js";
import { readRun, type Run } from "./run.js";

/** A picture in the site's `figures/`. */
export interface Picture {
  file: string;
  width?: number;
  height?: number;
  /** drawn for the site; a file of the run's otherwise */
  svg?: string;
  /** the file of a small one, of what is drawn for the site */
  small?: string;
}

/** Pixels of a small picture per unit of the drawing: a list of thirty should weigh less than one page of charts. */
const SMALL = 0.8;

/** Everything that several pages need, made once. */
export class Site {
  readonly run: Run;
  readonly highlight: Highlight;
  /** The paper's claims by id. */
  readonly catalogue: ReadonlyMap<string, PaperClaim>;
  private readonly pictures = new Map<string, Picture>();
  private readonly specifications = new Map<string, object>();

  private constructor(run: Run, highlight: Highlight) {
    this.run = run;
    this.highlight = highlight;
    this.catalogue = new Map(paperClaims().map((claim) => [claim.id, claim]));
  }

  /**
   * Reads a run and draws its figures without the title and caption that their own files carry: on a page these are text.
   *
   * @throws UserError when nothing has been run there
   */
  static async open(folder: string): Promise<Site> {
    const site = new Site(readRun(folder), await openHighlighter());
    for (const exhibit of site.run.exhibits) if (exhibit.kind === "figure") await site.draw(exhibit);
    return site;
  }

  /** The picture of a figure; undefined where the run has none. */
  picture({ name }: Exhibit): Picture | undefined {
    return this.pictures.get(name);
  }

  /** The Vega-Lite specification of a figure, data included, its title and caption left out. */
  specification({ name }: Exhibit): object | undefined {
    return this.specifications.get(name);
  }

  /** What is drawn for the site, by file name: pictures, and small ones of them for the list of all. */
  drawn(): [file: string, content: string | Uint8Array][] {
    return [...this.pictures.values()].flatMap(({ file, svg, small }): [string, string | Uint8Array][] =>
      svg === undefined || small === undefined
        ? []
        : [
            [file, svg],
            [small, svgToPng(svg, SMALL).png],
          ],
    );
  }

  private async draw({ name, files }: Exhibit): Promise<void> {
    const file = files.get("svg") ?? files.get("png");
    if (file) this.pictures.set(name, { file });
    const specification = files.get("vl.json");
    if (!specification) return;
    try {
      const whole = JSON.parse(
        readFileSync(join(this.run.folder, "figures", specification), "utf8"),
      ) as Record<string, unknown>;
      const { title: _title, description: _description, ...spec } = whole;
      const svg = typesetSvg(await drawVegaLite(spec, () => undefined));
      const [, width, height] = /^<svg[^>]*\swidth="([\d.]+)"[^>]*\sheight="([\d.]+)"/.exec(svg) ?? [];
      this.pictures.set(name, {
        file: `${name}.plain.svg`,
        small: `${name}.small.png`,
        svg,
        width: Number(width),
        height: Number(height),
      });
      this.specifications.set(name, spec);
    } catch {
      // A specification that somebody has edited and that no longer draws: the picture of the run is shown.
    }
  }
}
