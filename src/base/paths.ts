import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

let root: string | undefined;

/**
 * The folder that holds this project's package.json, found from this file upwards, so that the answer is the same for
 * the sources, the build and a notebook that imports the library by name.
 */
export function projectRoot(): string {
  if (root) return root;
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (
      existsSync(manifest) &&
      (JSON.parse(readFileSync(manifest, "utf8")) as { name?: string }).name === "alignscope"
    ) {
      return (root = folder);
    }
    if (folder === dirname(folder))
      throw new Error(`no package.json of alignscope above ${import.meta.dirname}`);
  }
}

/** The nearest folder with a package.json at or above `from`: the same for a package's sources and for its build. */
export function packageFolder(from: string): string {
  let folder = from;
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

/** The mirror of public data sets named by ALIGNSCOPE_MIRROR (relative to the working directory), if there is one. */
export function mirrorFolder(): string | undefined {
  const named = process.env["ALIGNSCOPE_MIRROR"];
  return named ? resolve(named) : undefined;
}

/** Where downloads are kept: ALIGNSCOPE_CACHE, else the user's cache folder. */
export function cacheFolder(): string {
  const named = process.env["ALIGNSCOPE_CACHE"];
  if (named) return resolve(named);
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "alignscope");
}
