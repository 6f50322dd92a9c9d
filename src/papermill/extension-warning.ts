import { basename } from "node:path";
import { statOf } from "./stat.js";

const EXTENSIONS = [".ipynb", ".json"];

/**
 * What papermill says, in its own words, of a path that does not look like a notebook's; undefined for one that does.
 * Standard input and output, devices and a notebook's text in place of a path have no extension to lack.
 */
export function extensionWarning(path: string | null): string | undefined {
  if (path === null || path === "-" || path.trimStart().startsWith("{")) return undefined;
  const there = statOf(path);
  if (there && !there.isFile()) return undefined;
  const name = basename(path);
  const bare = name.split("?")[0] ?? "";
  if (!bare.includes(".")) return `the file is not specified with any extension : ${name}`;
  if (EXTENSIONS.some((extension) => bare.endsWith(extension))) return undefined;
  return `The specified file (${path}) does not end in one of ['.ipynb', '.json']`;
}
