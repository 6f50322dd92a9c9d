import { join } from "node:path";
import { inspect } from "node:util";
import { writeFileAtomic } from "@alignscope/base/files";
import { Frame } from "./frame.js";
import type { MaskOptions } from "./mask.js";
import { EXHIBIT_KEY, type ExhibitMark, type MimeOutput, type Presentable } from "./notebook.js";
import type { Cell, Row } from "./rows.js";
import { jsonRows } from "./rows.js";
import { checkName, numberedName } from "./naming.js";
import { besidePaper, type PaperRows, renderedColumns } from "./paper-columns.js";
import {
  type Column,
  type Rendered,
  toHtml,
  toHtmlPage,
  toLatex,
  toMarkdown,
  toText,
} from "./table-formats.js";

/** What a table is called, for functions that make several. */
export type TableLabels = Pick<TableOptions, "name" | "number" | "title" | "caption">;

/** What a table is made of. */
export interface TableOptions extends MaskOptions {
  /** file name without extension, e.g. "table-2" */
  name: string;
  /** its number in the paper (2, "2a"), written before the title */
  number?: number | string;
  title: string;
  caption: string;
  columns: readonly Column[];
  /** one record per row; keys that no column names are kept in the data files, not rendered */
  rows: readonly Row[];
  /**
   * published values for the columns that say `paper: true`: a {@link paperTable}, joined on its key, or a list with a
   * published row, or null, for each of ours. Data files get the difference as well.
   */
  paper?: PaperRows;
}

/** A table: data with full precision and its renderings. Offensive words are masked in what is rendered, never in data. */
export class Table implements Presentable {
  readonly name: string;
  /** every column of the data, also those that are not rendered */
  readonly frame: Frame;
  private readonly options: Omit<TableOptions, "rows" | "paper">;

  /** Prefer {@link table}. */
  constructor({ rows: own, paper, ...options }: TableOptions) {
    checkName("table", options.name);
    const rows = besidePaper(own, options.columns, paper);
    const columns = renderedColumns(options.columns);
    const known = new Set(rows.flatMap((row) => Object.keys(row)));
    for (const { key } of columns) {
      if (rows.length > 0 && !known.has(key)) {
        throw new Error(
          `table ${options.name}: no row has column ${key} (rows have: ${[...known].join(", ")})`,
        );
      }
    }
    this.name = options.name;
    this.options = { ...options, columns };
    const shown = columns.map((column) => column.key);
    this.frame = new Frame(rows, [...new Set([...shown, ...known])]);
  }

  private get rendered(): Rendered {
    const { name, title, caption, columns, show } = this.options;
    return {
      name,
      number: numberedName("Table", this.options.number),
      title,
      caption,
      columns,
      rows: this.frame.rows(),
      mask: show === undefined ? {} : { show },
    };
  }

  /** An accessible HTML fragment (caption, scoped headings). */
  html(): string {
    return toHtml(this.rendered);
  }

  /** A GitHub-flavoured Markdown table. */
  markdown(): string {
    return toMarkdown(this.rendered);
  }

  /** A LaTeX float with booktabs rules. */
  latex(): string {
    return toLatex(this.rendered);
  }

  /** Padded columns for a terminal. */
  text(): string {
    return toText(this.rendered);
  }

  /** Every column of the data with every digit, keys as header, nothing masked. */
  csv(): string {
    return this.frame.csv();
  }

  /** The data with full precision and what it means; NaN and infinities as strings. */
  json(): {
    name: string;
    number: string | null;
    title: string;
    caption: string;
    columns: Column[];
    rows: Record<string, Cell>[];
  } {
    const { name, number, title, caption, columns } = this.options;
    return {
      name,
      number: number === undefined ? null : String(number),
      title,
      caption,
      columns: [...columns],
      rows: jsonRows(this.frame.rows(), this.frame.columns),
    };
  }

  /**
   * Writes `<folder>/tables/<name>.{html,md,tex,csv,json}`, each whole or not at all.
   *
   * @param folder the folder of the run, e.g. outputs/lab
   * @returns the paths written
   */
  save(folder: string): string[] {
    const files: [extension: string, content: string][] = [
      ["html", toHtmlPage(this.rendered)],
      ["md", this.markdown()],
      ["tex", this.latex()],
      ["csv", this.csv()],
      ["json", `${JSON.stringify(this.json(), null, 2)}\n`],
    ];
    return files.map(([extension, content]) => {
      const path = join(folder, "tables", `${this.name}.${extension}`);
      writeFileAtomic(path, content);
      return path;
    });
  }

  /** What a notebook shows: HTML, with padded text for clients without. */
  mimeBundle(): MimeOutput {
    return {
      data: { "text/html": this.html(), "text/plain": this.text() },
      metadata: { [EXHIBIT_KEY]: { table: this.name } satisfies ExhibitMark },
    };
  }

  /** As the last expression of a cell, or in console.log: the padded text. */
  [inspect.custom](): string {
    return this.text();
  }
}

/**
 * A table of results.
 *
 * @example
 * const results = table({ name: "table-2", number: 2, title: "Interventions", caption: "…",
 *   columns: [{ key: "method", label: "Method" }, { key: "toxicity", label: "Toxicity", digits: 3 }], rows });
 * await show(results);
 * results.save("outputs/lab");
 */
export function table(options: TableOptions): Table {
  return new Table(options);
}
