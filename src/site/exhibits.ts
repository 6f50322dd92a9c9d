import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Notebook, Output } from "jupyter-wire";
import type { ManifestNotebook } from "../pipeline/manifest.js";
import { type Column, EXHIBIT_KEY, type ExhibitMark, type Row } from "../present/index.js";

/** An executed notebook of the run. */
export interface RunNotebook {
  name: string;
  /** Section or appendix of the paper: "3.1", "A". */
  section: string;
  title: string;
  /** Its page. */
  file: string;
  notebook: Notebook;
  record: ManifestNotebook;
}

/** A figure or a table of a run: one name, several files, and the cell that made it. */
export interface Exhibit {
  kind: "figure" | "table";
  name: string;
  /** "Figure 4" by the paper's numbers, "Figure 5.2b" for what the paper does not have. */
  label: string;
  /** Whether the paper has it under this number. */
  inPaper: boolean;
  title: string;
  caption: string;
  /** By extension ("svg", "vl.json"), the file's name below `figures/` or `tables/`. */
  files: ReadonlyMap<string, string>;
  /** The first cell that shows it; undefined for what no notebook of the run shows any more. */
  place: { notebook: RunNotebook; cell: string } | undefined;
  /** Of a table. */
  columns?: Column[];
  rows?: Row[];
}

interface Description {
  title?: string;
  caption?: string;
  number?: string | number | null;
  columns?: Column[];
  rows?: Row[];
}

/** The folder of a run that holds exhibits of a kind. */
export const folderOf = (kind: Exhibit["kind"]): "figures" | "tables" =>
  kind === "figure" ? "figures" : "tables";

/** Which exhibit an output of a cell is; undefined for one that is none. */
export function exhibitOf(output: Output): { kind: Exhibit["kind"]; name: string } | undefined {
  if (output.output_type !== "display_data" && output.output_type !== "execute_result") return undefined;
  const mark = output.metadata[EXHIBIT_KEY] as ExhibitMark | null | undefined;
  if (typeof mark?.figure === "string") return { kind: "figure", name: mark.figure };
  if (typeof mark?.table === "string") return { kind: "table", name: mark.table };
  return undefined;
}

/** Every figure and table in the order in which the notebooks show them, then those that none shows. */
export function readExhibits(folder: string, notebooks: readonly RunNotebook[]): Exhibit[] {
  const found = new Map<string, Exhibit>();
  for (const kind of ["figure", "table"] as const) {
    for (const exhibit of describeFolder(folder, kind)) found.set(key(exhibit), exhibit);
  }
  const ordered = new Set<Exhibit>();
  for (const notebook of notebooks) {
    for (const { kind, name, cell } of shownIn(notebook)) {
      const exhibit = found.get(key({ kind, name }));
      if (!exhibit || ordered.has(exhibit)) continue;
      exhibit.place = { notebook, cell };
      ordered.add(exhibit);
    }
  }
  for (const exhibit of found.values()) ordered.add(exhibit);
  return numbered([...ordered]);
}

function key({ kind, name }: Pick<Exhibit, "kind" | "name">): string {
  return `${kind} ${name}`;
}

function shownIn({ notebook }: RunNotebook): { kind: Exhibit["kind"]; name: string; cell: string }[] {
  return notebook.cells.flatMap((cell) =>
    cell.cell_type === "code"
      ? cell.outputs.flatMap((output) => {
          const shown = exhibitOf(output);
          return shown ? [{ ...shown, cell: cell.id }] : [];
        })
      : [],
  );
}

/** What the paper has keeps its number; the others are lettered within their section. */
function numbered(exhibits: Exhibit[]): Exhibit[] {
  const counts = new Map<string, number>();
  for (const exhibit of exhibits) {
    const word = exhibit.kind === "figure" ? "Figure" : "Table";
    if (exhibit.inPaper) {
      exhibit.label = `${word} ${exhibit.label}`;
      continue;
    }
    const section = exhibit.place?.notebook.section ?? "";
    const count = counts.get(word + section) ?? 0;
    counts.set(word + section, count + 1);
    exhibit.label = `${word} ${section}${letters(count)}`;
  }
  return exhibits;
}

/** a … z, aa, ab … */
function letters(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}

/** Files of one name belong together: `shift.svg`, `shift.csv`, `shift.vl.json`; `shift.json` describes them. */
function describeFolder(folder: string, kind: Exhibit["kind"]): Exhibit[] {
  const place = join(folder, folderOf(kind));
  if (!existsSync(place)) return [];
  const byName = new Map<string, Map<string, string>>();
  for (const file of readdirSync(place).sort()) {
    const [, name, extension] = /^([^.].*?)\.((?:vl\.)?[a-z0-9]+)$/.exec(file) ?? [];
    if (!name || !extension) continue;
    const files = byName.get(name) ?? new Map<string, string>();
    byName.set(name, files.set(extension, file));
  }
  const numeric = new Intl.Collator("en", { numeric: true });
  return [...byName]
    .map(([name, files]): Exhibit => {
      const { title, caption, number, columns, rows } = description(join(place, `${name}.json`));
      const paper = number === undefined || number === null ? "" : String(number);
      return {
        kind,
        name,
        label: paper,
        inPaper: paper !== "",
        title: title || name,
        caption: caption ?? "",
        files,
        place: undefined,
        ...(columns && rows ? { columns, rows } : {}),
      };
    })
    .sort((a, b) => numeric.compare(a.name, b.name));
}

function description(path: string): Description {
  if (!existsSync(path)) return {};
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Description;
  } catch {
    return {}; // shown under its file name instead
  }
}
