import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { checksumOf, sha256Of } from "@alignscope/base/checksum";
import { projectRoot } from "@alignscope/base/paths";
import { LAB_FOLDER, registry } from "../data/registry.js";
import type { Json } from "jupyter-wire";

/** The rooms that no number of a notebook comes from; the kernel's own, jupyter, is counted with the kernel. */
const NOT_LIBRARY = [
  "bench",
  "cli",
  "doctor",
  "jupyter",
  "lab",
  "pack",
  "parity",
  "pipeline",
  "runner",
  "site",
];

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
  const ofLibrary = (path: string): boolean => !NOT_LIBRARY.includes(path.split(sep)[0] ?? "");
  const [sources, build] = [join(root, "src"), join(root, "dist", "src")];
  const built = [
    ...filesBelow(build).filter((path) => path.endsWith(".js") && ofLibrary(relative(build, path))),
    ...filesBelow(sources).filter((path) => !path.endsWith(".ts") && ofLibrary(relative(sources, path))),
  ];
  built.push(...filesBelow(join(root, LAB_FOLDER, "manifest.json")));
  const kernelFiles = [
    // Not its logos: no cell can tell.
    ...filesBelow(join(root, "kernels", kernel)).filter((path) => !/\.(ts|svg|png)$/.test(path)),
    ...filesBelow(join(root, "dist", "kernels", kernel)).filter((path) => path.endsWith(".js")),
    ...filesBelow(join(root, "dist", "src", "jupyter")).filter((path) => path.endsWith(".js")),
  ];
  return {
    library: await checksumOfAll(root, built),
    packages: await checksumOfAll(root, filesBelow(join(root, "package-lock.json"))),
    kernel: sha256Of(`${kernel}\n${await checksumOfAll(root, kernelFiles)}`),
  };
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
