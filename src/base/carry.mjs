/*
 * `npm pack` of a package that depends on this private one takes it along: `carry.mjs in` lays its build where npm looks for
 * bundled dependencies, in the packed package's own node_modules; `carry.mjs out` takes it away again.
 */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";

const modules = join(process.cwd(), "node_modules");
const place = join(modules, "@alignscope", "base");
rmSync(place, { recursive: true, force: true });
if (process.argv[2] === "in") {
  for (const name of ["package.json", "dist"]) {
    cpSync(join(import.meta.dirname, name), join(place, name), {
      recursive: true,
      filter: (path) => !/\.(map|tsbuildinfo)$/.test(path),
    });
  }
}
