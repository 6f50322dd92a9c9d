/** What the pages are made from: a run's folder, read once. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { readNotebook } from "jupyter-wire";
import { hasClaims, readClaims, type RunClaims } from "../pipeline/claims.js";
import type { Manifest } from "../pipeline/manifest.js";
import { type Exhibit, readExhibits, type RunNotebook } from "./exhibits.js";

/** A finished, or partly finished, run. */
export interface Run {
  folder: string;
  manifest: Manifest;
  /** Those that have run through at least once, in the order of the series. */
  notebooks: RunNotebook[];
  claims: RunClaims | undefined;
  /** Figures and tables, in the order in which the notebooks show them. */
  exhibits: Exhibit[];
}

/**
 * Reads a run.
 *
 * @throws UserError when nothing has been run there
 */
export function readRun(folder: string): Run {
  const file = join(folder, "manifest.json");
  if (!existsSync(file)) throw new UserError(`no results in ${folder}: run \`alignscope reproduce\` first`);
  const manifest = JSON.parse(readFileSync(file, "utf8")) as Manifest;
  const notebooks = manifest.notebooks.flatMap((record): RunNotebook[] => {
    const path = executedPath(folder, record.name);
    if (!existsSync(path)) return [];
    const { name, title } = record;
    return [
      { name, section: sectionOf(name), title, file: `${name}.html`, notebook: readNotebook(path), record },
    ];
  });
  return {
    folder,
    manifest,
    notebooks,
    claims: hasClaims(folder) ? readClaims(folder) : undefined,
    exhibits: readExhibits(folder, notebooks),
  };
}

/** A cell is found in its page as `#cell-ID`. */
export const CELL_ANCHOR = "cell-";

/** Where a run keeps an executed notebook. */
export function executedPath(folder: string, name: string): string {
  return join(folder, "notebooks", `${name}.ipynb`);
}

/** The section of the paper: a notebook's name up to its first hyphen. */
export function sectionOf(name: string): string {
  return name.split("-")[0] ?? "";
}
