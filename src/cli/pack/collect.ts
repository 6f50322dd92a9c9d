import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { parseDocument } from "yaml";
import { UserError } from "@alignscope/base/errors";
import { loadGraph, selectNotebooks, type Graph, type GraphNotebook } from "../../pipeline/graph.js";
import { linkTarget, productionClosure, type Lockfile, type Target } from "./closure.js";
import type { PackedFile } from "./payload.js";
import { PARTS, ruleFor, STAND_INS } from "./rules.js";

export const TARGET: Target = { os: "linux", cpu: "x64", libc: "glibc" };

/** Files of the project itself that a packed run reads, besides notebooks and packages: folders, or single files. */
const PROJECT = [
  "LICENSE",
  "package.json",
  "package-lock.json",
  "data",
  "dist",
  "kernels",
  "notebooks/profiles",
  "outputs/README.md",
  "src",
  "test/fixtures/tiny-gpt2",
];

/** Of those folders: sources are compiled in the packages' dist/, and nothing here may start an install or a build. */
const NOT_OF_PROJECT =
  /^(src(?!\/site\/browser\/)|kernels)\/.*(?<!\.d)\.ts$|^src\/cli\/(pack\/|bin\/bootstrap\.mjs$)|\.(map|tsbuildinfo|pyc)$|\/(\.[^/]+|__pycache__)(\/|$)/;

/** Everything that lies below the pack's folder once it is unpacked, except Node and what unpacks it; sorted by path. */
export function collectFiles(root: string, notebooks: readonly string[] = []): PackedFile[] {
  const paths = PROJECT.flatMap((path) => filesBelow(root, path)).filter(
    (path) => !NOT_OF_PROJECT.test(path),
  );
  const files = [
    ...paths.map((path) => readPacked(root, path)),
    ...notebookFiles(root, notebooks),
    ...packageFiles(root),
    ...links(root),
  ];
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The notebooks that were named, those whose artifacts they need, and pipeline.yaml with these alone; all unless named. */
function notebookFiles(root: string, names: readonly string[]): PackedFile[] {
  const pipeline = join(root, "notebooks", "pipeline.yaml");
  const graph = loadGraph(pipeline);
  const chosen = names.length > 0 ? withMakers(graph, selectNotebooks(graph, names)) : graph.notebooks;
  const document = parseDocument(readFileSync(pipeline, "utf8"));
  for (const notebook of graph.notebooks)
    if (!chosen.includes(notebook)) document.deleteIn(["notebooks", notebook.name]);
  return [
    { path: "notebooks/pipeline.yaml", data: Buffer.from(document.toString({ lineWidth: 0 })), mode: 0o644 },
    ...chosen.map(({ path }) => readPacked(root, `notebooks/${basename(path)}`)),
  ];
}

function withMakers(graph: Graph, chosen: readonly GraphNotebook[]): GraphNotebook[] {
  const all = new Set(chosen);
  // A notebook that is found while this runs is visited as well.
  for (const { needs } of all)
    for (const maker of graph.notebooks)
      if (maker.makes.some((artifact) => needs.includes(artifact))) all.add(maker);
  return graph.notebooks.filter((notebook) => all.has(notebook));
}

/** The links by which Node finds the project's own packages, and cells the library: `import … from "alignscope"`. */
function links(root: string): PackedFile[] {
  const packages = lockfile(root);
  const own = Object.keys(packages).flatMap((place): [string, string][] => {
    const target = linkTarget(packages, place);
    return target === undefined ? [] : [[place, posix.relative(posix.dirname(place), target)]];
  });
  return [["node_modules/alignscope", ".."] as const, ...own].map(([path, link]) => {
    return { path, data: new Uint8Array(), mode: 0o777, link };
  });
}

function lockfile(root: string): Lockfile {
  const text = readFileSync(join(root, "package-lock.json"), "utf8");
  return (JSON.parse(text) as { packages: Lockfile }).packages;
}

/** The packages that run here and what the rules leave of them, or their stand-ins. */
function packageFiles(root: string): PackedFile[] {
  const standIns = Object.entries(STAND_INS).map(([name, { dependencies }]) => [name, dependencies] as const);
  const replaced = Object.fromEntries([...standIns, ...Object.entries(PARTS)]);
  return productionClosure(lockfile(root), TARGET, replaced).flatMap((place) => {
    const name = place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
    const standIn = STAND_INS[name];
    if (!existsSync(join(root, place))) {
      throw new UserError(`${place} is missing, expected all of package-lock.json: run \`npm ci\` first`);
    }
    if (standIn) return standInFiles(root, place, standIn.main);
    const main = mainModule(root, place);
    return packageOwnFiles(root, place)
      .filter((path) => path === main || !ruleFor(path))
      .map((path) => readPacked(root, path));
  });
}

/** What `require` of the package loads, as its package.json says. */
function mainModule(root: string, place: string): string {
  const json = readFileSync(join(root, place, "package.json"), "utf8");
  const { main = "index.js" } = JSON.parse(json) as { main?: string };
  return posix.join(place, main);
}

/** The files of one package, without packages nested in it. */
export function packageOwnFiles(root: string, place: string): string[] {
  return filesBelow(root, place).filter((path) => !path.slice(place.length).includes("/node_modules/"));
}

function standInFiles(root: string, place: string, main: string): PackedFile[] {
  const { name, version, license } = JSON.parse(
    readFileSync(join(root, place, "package.json"), "utf8"),
  ) as Record<string, string>;
  const json = JSON.stringify({ name, version, license, main: "index.js" });
  const data = readFileSync(join(root, "src/cli/pack/carried", main));
  return [
    { path: `${place}/index.js`, data, mode: 0o644 },
    { path: `${place}/package.json`, data: Buffer.from(`${json}\n`), mode: 0o644 },
  ];
}

/** Paths of regular files, relative to the root, with `/` between folders. Links are not followed. */
function filesBelow(root: string, path: string): string[] {
  const status = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (!status) throw new UserError(`${path} is missing in ${root}: run \`npm run build\` first`);
  if (status.isFile()) return [path];
  if (!status.isDirectory()) return [];
  return readdirSync(join(root, path)).flatMap((name) => filesBelow(root, `${path}/${name}`));
}

function readPacked(root: string, path: string): PackedFile {
  const executable = (statSync(join(root, path)).mode & 0o111) !== 0;
  return { path, data: readFileSync(join(root, path)), mode: executable ? 0o755 : 0o644 };
}
