import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { checksumOf, sha256Of } from "@alignscope/base/checksum";
import { projectRoot } from "@alignscope/base/paths";
import { LAB_FOLDER, registry } from "../data/registry.js";
import type { Json } from "jupyter-wire";

/** What notebooks import; the library is this file, as it was built, and what it reaches. */
const LIBRARY = join("dist", "src", "index.js");

/** What every notebook of a run depends on besides its own code, parameters and artifacts; sha256 each. */
export interface Environment {
  /** The library as built, with the data that it carries: files beside its sources and the embedded data's checksums. */
  library: string;
  /** package-lock.json. */
  packages: string;
  /** The kernel's specification and implementation. */
  kernel: string;
}

/** The environment as it is now. */
export async function environment(kernel: string, root = projectRoot()): Promise<Environment> {
  const specification = join(root, "kernels", kernel);
  const library = [...filesReached(root, [join(root, LIBRARY)]), join(root, LAB_FOLDER, "manifest.json")];
  const kernelFiles = [
    // Not its logos: no cell can tell.
    ...filesBelow(specification).filter((path) => !/\.(svg|png)$/.test(path)),
    ...filesReached(root, kernelScripts(specification)),
  ];
  return {
    library: await checksumOfAll(root, library.flatMap(filesBelow)),
    packages: await checksumOfAll(root, filesBelow(join(root, "package-lock.json"))),
    kernel: sha256Of(`${kernel}\n${await checksumOfAll(root, kernelFiles)}`),
  };
}

/** The scripts that a kernelspec starts from its own folder. */
function kernelScripts(folder: string): string[] {
  const { argv = [] } = JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8")) as { argv?: string[] };
  return argv
    .filter((argument) => argument.includes("{resource_dir}") && argument.endsWith(".js"))
    .map((argument) => resolve(argument.replaceAll("{resource_dir}", folder)));
}

/** An import, its file or package; also of a script that another process or thread runs. */
const IMPORT = /(?:\bfrom|\bimport|\bnew URL)\s*\(?\s*"([@./\w-]+)"/g;

/** Built files and all that they import of this project: files beside them, and the whole of its packages; sorted. */
function filesReached(root: string, entries: readonly string[]): string[] {
  const found = new Set(entries.filter((path) => existsSync(path)));
  // A file that is found while this runs is visited as well.
  for (const path of found) {
    for (const [, name = ""] of readFileSync(path, "utf8").matchAll(IMPORT)) {
      const imported = /^\.{1,2}\//.test(name) ? [resolve(path, "..", name)] : packageFiles(root, name);
      for (const one of imported) if (one.endsWith(".js") && existsSync(one)) found.add(one);
    }
  }
  return [...found].sort();
}

/** What was built of a package of this repository, which a link in node_modules leads to; nothing of any other. */
function packageFiles(root: string, specifier: string): string[] {
  const [scope = "", name = ""] = specifier.split("/");
  const place = join(root, "node_modules", ...(scope.startsWith("@") ? [scope, name] : [scope]));
  if (!lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) return [];
  return filesBelow(join(realpathSync(place), "dist"));
}

/**
 * The checksums of the data sets and models among a notebook's parameters: of values that name an entry of the registry
 * (from the registry, nothing is downloaded) or a file.
 */
export async function dataChecksums(values: readonly (Json | undefined)[]): Promise<Record<string, string>> {
  const entries = registry();
  const checksums: Record<string, string> = {};
  for (const value of values) {
    if (typeof value !== "string" || value === "") continue;
    const entry = entries.find(({ name }) => name === value);
    const path = resolve(projectRoot(), value);
    if (entry) {
      checksums[value] = sha256Of(entry.files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(""));
    } else if (/[/\\.]/.test(value) && existsSync(path) && statSync(path).isFile()) {
      checksums[value] = await checksumOf(path);
    }
  }
  return checksums;
}

/** The project's commit, and whether its files differ from it; nulls where there is no git or no repository. */
export interface GitState {
  commit: string | null;
  dirty: boolean | null;
}

export function gitState(root = projectRoot()): GitState {
  const git = (...args: string[]): string =>
    // Without the lock that `git status` takes to keep what it has found: a run that is killed would leave it behind.
    execFileSync("git", ["--no-optional-locks", ...args], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    return { commit: git("rev-parse", "HEAD"), dirty: git("status", "--porcelain") !== "" };
  } catch {
    return { commit: null, dirty: null };
  }
}

/** A file, or every file below a folder, in an order that does not depend on the file system; none if it is not there. */
export function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

/** One checksum over the names (relative to `root`) and contents of files. */
async function checksumOfAll(root: string, paths: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const path of paths) lines.push(`${await checksumOf(path)}  ${path.slice(root.length)}\n`);
  return sha256Of(lines.join(""));
}

/** The version of this project, from its package.json. */
export function projectVersion(root = projectRoot()): string {
  return (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;
}
