import { readFileSync } from "node:fs";
import { join } from "node:path";

/*
 * Tests run the sources of this repository's packages, not their builds: what package.json exports from `dist/` is taken
 * from the file beside it.
 */
const root = join(import.meta.dirname, "..");

interface Manifest {
  name: string;
  workspaces?: string[];
  exports?: Record<string, string | { default: string }>;
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
}

/** For Vite's `resolve.alias`: every export of every package, as its source. */
export const packageSources = (manifestIn(".").workspaces ?? []).flatMap((folder) => {
  const { name, exports = {} } = manifestIn(folder);
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === "string") return [];
    const source = target.default.replace("./dist/", "").replace(/\.js$/, ".ts");
    return {
      find: new RegExp(`^${name}${subpath.slice(1).replace("*", "(.*)")}$`),
      replacement: join(root, folder, source.replace("*", "$1")),
    };
  });
});
