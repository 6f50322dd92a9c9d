/*
 * `npm pack` of a package that depends on this private one takes it along: `carry.mjs in` lays its build where npm looks for
 * bundled dependencies, in the packed package's own node_modules; `carry.mjs out` takes it away again. npm installs nothing
 * for what is bundled: what this package depends on, the packed one has to list as well.
 */
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const manifestIn = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const packed = manifestIn(process.cwd());
const unlisted = Object.keys(manifestIn(import.meta.dirname).dependencies).filter(
  (name) => !(name in packed.dependencies),
);
if (unlisted.length > 0) {
  throw new Error(
    `${packed.name} carries @alignscope/base and does not depend on ${unlisted.join(", ")}, which that needs`,
  );
}

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
