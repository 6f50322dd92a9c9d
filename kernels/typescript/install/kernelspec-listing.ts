import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { messageOf } from "@alignscope/base/errors";
import {
  kernelCommand,
  kernelspecCandidates,
  kernelspecFolders,
  packagedKernelFolders,
  readKernelspec,
} from "jupyter-wire";
import { ownerOf, type Owner } from "./kernelspec-owner.js";

/** A kernelspec as it lies in a folder, whether it can be used or not. */
export interface ListedKernelspec {
  name: string;
  displayName: string;
  language: string;
  interruptMode: "signal" | "message" | "";
  folder: string;
  /**
   * Used in place, where an npm package has it; installed by the owner; by a package of the same name elsewhere; or
   * somebody else's.
   */
  origin: "in place" | "installed" | `another ${string}` | "other";
  /** The folder of the package that it belongs to. */
  project: string | null;
  /** Why it cannot start: its kernel.json, its command or its script; null when all are there. */
  problem: string | null;
  /** The folder of a kernelspec of the same name that Jupyter finds first; it never sees the one in place. */
  hiddenBy: string | null;
}

/** Every kernelspec in the folders that are searched, also those that are broken or hidden by another, in search order. */
export function describeKernelspecs(
  owner: Owner,
  folders: readonly string[] = kernelspecFolders(),
  env: Readonly<Record<string, string | undefined>> = process.env,
): ListedKernelspec[] {
  const packaged = new Set([join(owner.folder, "kernels"), ...packagedKernelFolders()]);
  const seen = new Map<string, string>();
  return kernelspecCandidates(folders).map(([name, folder]) => {
    const inPlace = packaged.has(dirname(folder));
    const project = inPlace ? resolve(folder, "..", "..") : (ownerOf(folder, owner.name) ?? null);
    const hiddenBy = inPlace ? null : (seen.get(name) ?? null);
    if (!inPlace && hiddenBy === null) seen.set(name, folder);
    return {
      name,
      ...readable(name, folder, env),
      folder,
      origin: inPlace
        ? "in place"
        : project === owner.folder
          ? "installed"
          : project === null
            ? "other"
            : `another ${owner.name}`,
      project,
      hiddenBy,
    };
  });
}

function readable(
  name: string,
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Pick<ListedKernelspec, "displayName" | "language" | "interruptMode" | "problem"> {
  try {
    const spec = readKernelspec(name, folder);
    const { displayName, language, interruptMode } = spec;
    return { displayName, language, interruptMode, problem: missingPart(kernelCommand(spec, ""), env) };
  } catch (error) {
    return { displayName: "", language: "", interruptMode: "", problem: messageOf(error) };
  }
}

/** What a command needs that is not there: its program, or its script if the first argument that is no option is a path. */
function missingPart(
  [program, ...rest]: [string, ...string[]],
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  if (!isProgram(program, env))
    return isAbsolute(program) ? `no ${program}` : `${program} is not on the PATH`;
  const script = rest.find((argument) => !argument.startsWith("-"));
  return script === undefined || !isAbsolute(script) || existsSync(script) ? null : `no ${resolve(script)}`;
}

function isProgram(program: string, env: Readonly<Record<string, string | undefined>>): boolean {
  if (/[/\\]/.test(program)) return isExecutable(program);
  const endings = process.platform === "win32" ? (env["PATHEXT"] ?? ".EXE").split(";") : [""];
  return (env["PATH"] ?? "")
    .split(delimiter)
    .filter(Boolean)
    .some((folder) => endings.some((ending) => isExecutable(join(folder, program + ending))));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
