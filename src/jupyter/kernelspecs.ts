import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { UserError, messageOf } from "@alignscope/base/errors";
import { dataFolders } from "./jupyter-folders.js";
import type { Json } from "./nbformat.js";

/** A kernel.json with the name and the folder it was found under. */
export interface Kernelspec {
  /** Lower case, as names are compared without case. */
  name: string;
  resourceDir: string;
  argv: string[];
  displayName: string;
  language: string;
  /** How to interrupt it: SIGINT to its process group, or an interrupt_request on the control channel. */
  interruptMode: "signal" | "message";
  env: Record<string, string>;
  metadata: Record<string, Json | undefined>;
}

const KERNEL_NAME = /^[a-z0-9._-]+$/i;

/** Whether a kernelspec may have that name: letters, digits, `.`, `_` and `-`, and not only dots. */
export function isKernelName(name: string): boolean {
  return KERNEL_NAME.test(name) && !/^\.+$/.test(name);
}

/**
 * Folders searched for kernelspecs, in order: what npm packages bring comes first, so that nothing need be installed for
 * Jupyter, then Jupyter's own.
 */
export function kernelspecFolders(): string[] {
  return [
    ...packagedKernelFolders(),
    ...dataFolders().map((folder) => join(folder, "kernels")),
    join(homedir(), ".ipython", "kernels"),
  ];
}

/**
 * The folders `kernels/` of the npm packages that Node finds from a folder, which hold kernelspecs as `NAME/kernel.json`:
 * `node_modules/PACKAGE/kernels` there and in every folder above.
 */
export function packagedKernelFolders(from: string = import.meta.dirname): string[] {
  const found: string[] = [];
  for (let at = from; ; at = dirname(at)) {
    for (const name of packagesIn(join(at, "node_modules"))) {
      const folder = join(at, "node_modules", name, "kernels");
      if (existsSync(folder)) found.push(realpathSync(folder));
    }
    if (at === dirname(at)) break;
  }
  return [...new Set(found)].filter((folder) => kernelspecCandidates([folder]).length > 0);
}

function packagesIn(folder: string): string[] {
  return entriesOf(folder).flatMap((name) =>
    name.startsWith("@") ? entriesOf(join(folder, name)).map((inScope) => join(name, inScope)) : [name],
  );
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * The kernelspec of that name, whatever its case.
 *
 * @throws UserError naming the kernels that were found, or what is wrong with the kernel.json
 */
export function findKernelspec(name: string, folders: readonly string[] = kernelspecFolders()): Kernelspec {
  const wanted = name.toLowerCase();
  for (const [found, folder] of kernelspecCandidates(folders)) {
    if (found === wanted) return readKernelspec(found, folder);
  }
  const names = [...new Set(kernelspecCandidates(folders).map(([found]) => found))];
  throw new UserError(
    `no such kernel: ${name} (${names.length ? `found ${names.join(", ")}` : `none found in ${folders.join(", ")}`})`,
  );
}

/** Every kernelspec that can be read, first match first; broken ones are passed over. */
export function listKernelspecs(folders: readonly string[] = kernelspecFolders()): Kernelspec[] {
  const specs = new Map<string, Kernelspec>();
  for (const [name, folder] of kernelspecCandidates(folders)) {
    if (specs.has(name)) continue;
    try {
      specs.set(name, readKernelspec(name, folder));
    } catch {
      continue; // Asking for it by name says what is wrong with it.
    }
  }
  return [...specs.values()];
}

/** The command to start the kernel with: `{connection_file}`, `{resource_dir}` and `{prefix}` filled in. */
export function kernelCommand(spec: Kernelspec, connectionFile: string): [string, ...string[]] {
  const values: Record<string, string> = {
    connection_file: connectionFile,
    resource_dir: spec.resourceDir,
    prefix: process.env["VIRTUAL_ENV"] ?? process.env["CONDA_PREFIX"] ?? "/usr",
  };
  const [command = "", ...rest] = spec.argv.map((argument) =>
    argument.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole),
  );
  // The kernel runs under the Node that runs us, which need not be the first on PATH.
  return [command === "node" ? process.execPath : command, ...rest];
}

/** The kernel's own variables, in which `${NAME}` means the value in `base`. */
export function kernelEnvironment(
  spec: Kernelspec,
  base: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const expand = (value: string): string =>
    value.replace(
      /\$(?:\{(\w+)\}|(\w+))/g,
      (whole, braced?: string, bare?: string) => base[braced ?? bare ?? ""] ?? whole,
    );
  return Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, expand(value)]));
}

/** [name, folder] of everything that looks like a kernelspec, in search order. */
export function kernelspecCandidates(folders: readonly string[]): [string, string][] {
  return folders.flatMap((folder) => {
    return entriesOf(folder)
      .filter((name) => isKernelName(name) && hasKernelJson(join(folder, name)))
      .sort()
      .map((name): [string, string] => [name.toLowerCase(), join(folder, name)]);
  });
}

function hasKernelJson(folder: string): boolean {
  return entriesOf(folder).includes("kernel.json");
}

/**
 * The kernelspec in that folder.
 *
 * @throws UserError when its kernel.json cannot be read or has no argv
 */
export function readKernelspec(name: string, resourceDir: string): Kernelspec {
  const path = join(resourceDir, "kernel.json");
  let json: Record<string, unknown>;
  try {
    json = (JSON.parse(readFileSync(path, "utf8")) ?? {}) as Record<string, unknown>;
  } catch (error) {
    throw new UserError(`cannot read the kernelspec ${path} (${messageOf(error).split("\n")[0]})`);
  }
  const { argv, env } = json;
  if (!Array.isArray(argv) || argv.length === 0 || !argv.every((part) => typeof part === "string")) {
    throw new UserError(`the kernelspec ${path} has no argv (expected the command as a list of strings)`);
  }
  return {
    name,
    resourceDir,
    argv,
    displayName: typeof json["display_name"] === "string" ? json["display_name"] : name,
    language: typeof json["language"] === "string" ? json["language"] : "",
    interruptMode: json["interrupt_mode"] === "message" ? "message" : "signal",
    env: Object.fromEntries(
      Object.entries(typeof env === "object" && env !== null ? env : {}).map(([key, value]) => [
        key,
        String(value),
      ]),
    ),
    metadata: (json["metadata"] ?? {}) as Record<string, Json | undefined>,
  };
}
