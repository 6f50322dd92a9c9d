import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { UserError, messageOf } from "@alignscope/base/errors";
import { copyFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
import { isKernelName } from "jupyter-wire";
import { isOurs, ownerOf, type Owner } from "./kernelspec-owner.js";

/** How a kernelspec is to be installed; see {@link installKernelspec}. */
export interface InstallOptions {
  /** The `kernels/` folder that gets a folder with the kernel's name; made if need be. */
  folder: string;
  /** Default: the name of the kernelspec's own folder. Names have no case, so it is written in lower case. */
  name?: string;
  /** What Jupyter shows. Default: as in the kernelspec's own kernel.json. */
  displayName?: string;
  /** Variables for the kernel's process; `${NAME}` in a value means the variable of whoever starts it. */
  env?: Readonly<Record<string, string>>;
  /** Replaces a kernelspec of that name that is not the owner's. */
  force?: boolean;
}

/** Where a kernelspec was installed and what Jupyter shows. */
export interface Installed {
  name: string;
  displayName: string;
  /** The kernelspec's own folder. */
  folder: string;
  /** Whether there was one of that name. */
  replaced: boolean;
}

/** kernel.json as far as installing it has to know; what else it says is carried over. */
interface KernelJson {
  argv: string[];
  display_name: string;
  env?: Record<string, string>;
  metadata?: Record<string, unknown>;
}

/**
 * Writes one of the owner's kernelspecs, `kernels/KERNEL/` in its folder, into another `kernels/` folder, so that Jupyter
 * offers it wherever it works: with absolute paths and the Node that runs this. Written aside and renamed, in place of an
 * earlier one of the same owner.
 *
 * @throws UserError when the kernel is not built, the folder cannot be written, or a kernelspec of that name is not ours
 */
export function installKernelspec(owner: Owner, kernel: string, options: InstallOptions): Installed {
  const name = checkedName(options.name ?? kernel);
  const source = join(owner.folder, "kernels", kernel);
  const spec = absoluteSpec(owner, source, options);
  if (realPath(options.folder) === realPath(join(source, ".."))) {
    throw new UserError(
      `${options.folder} is where the kernel of ${owner.name} lies, which Jupyter finds there as it is: nothing to install`,
    );
  }
  const before = existing(options.folder, name);
  const replaced = before !== undefined;
  const folder = before ?? join(resolve(options.folder), name);
  if (replaced && !options.force && !isOurs(folder, owner)) {
    throw new UserError(
      `${folder} is ${notOurs(folder, owner)}: choose another name with --name, or replace it with --force`,
    );
  }
  // Neither Jupyter nor the runner takes a folder with ~ in its name for a kernelspec.
  const aside = join(options.folder, `${name}~${process.pid}`);
  try {
    mkdirSync(options.folder, { recursive: true });
    rmSync(aside, { recursive: true, force: true });
    mkdirSync(aside);
    for (const file of readdirSync(source).filter((file) => file.startsWith("logo-"))) {
      copyFileAtomic(join(source, file), join(aside, file));
    }
    writeJsonAtomic(join(aside, "kernel.json"), spec);
    putInPlace(aside, folder, replaced);
  } catch (error) {
    throw new UserError(
      `cannot write ${folder} (${firstLine(error)}): install elsewhere with --user, --sys-prefix or --prefix PATH`,
    );
  } finally {
    removeQuietly(aside);
  }
  return { name, displayName: spec.display_name, folder, replaced };
}

/**
 * Removes a kernelspec that {@link installKernelspec} wrote; returns its folder, undefined when there is none.
 *
 * @throws UserError when it is not ours or cannot be removed
 */
export function uninstallKernelspec(owner: Owner, kernelsFolder: string, name: string): string | undefined {
  const folder = existing(kernelsFolder, checkedName(name));
  if (folder === undefined) return undefined;
  if (!isOurs(folder, owner)) {
    throw new UserError(
      `${folder} is ${notOurs(folder, owner)}: left alone, delete the folder if it should go`,
    );
  }
  try {
    rmSync(folder, { recursive: true });
  } catch (error) {
    throw new UserError(`cannot remove ${folder} (${firstLine(error)})`);
  }
  return folder;
}

/** The kernelspec with what only holds in its own folder made absolute. */
function absoluteSpec(owner: Owner, source: string, { displayName, env }: InstallOptions): KernelJson {
  const own = JSON.parse(readFileSync(join(source, "kernel.json"), "utf8")) as KernelJson;
  const argv = own.argv.map((argument, index) => {
    if (index === 0 && argument === "node") return process.execPath;
    if (!argument.includes("{resource_dir}")) return argument;
    const path = resolve(argument.replaceAll("{resource_dir}", source));
    if (!existsSync(path)) {
      throw new UserError(`the kernel is not built (no ${path}): run \`npm run build\` in ${owner.folder}`);
    }
    return path;
  });
  return {
    ...own,
    argv,
    display_name: displayName ?? own.display_name,
    env: { ...own.env, ...env },
    metadata: { ...own.metadata, [owner.name]: { project: owner.folder } },
  };
}

function checkedName(name: string): string {
  if (isKernelName(name)) return name.toLowerCase();
  throw new UserError(
    `a kernel cannot be named ${JSON.stringify(name)} (expected letters, digits, ".", "_" and "-")`,
  );
}

/** What lies in the folder under that name, whatever its case. */
function existing(kernelsFolder: string, name: string): string | undefined {
  let entries: string[];
  try {
    entries = readdirSync(kernelsFolder);
  } catch {
    return undefined; // Not there yet; if it is something else, writing says so.
  }
  const found = entries.find((entry) => entry.toLowerCase() === name);
  return found === undefined ? undefined : join(resolve(kernelsFolder), found);
}

/** Renames `aside` to `folder`; one that is there comes back if that fails, as a folder cannot be renamed over another. */
function putInPlace(aside: string, folder: string, replaced: boolean): void {
  const before = join(folder, "..", `${basename(folder)}~before-${process.pid}`);
  if (!replaced) {
    renameSync(aside, folder);
    return;
  }
  renameSync(folder, before);
  try {
    renameSync(aside, folder);
  } catch (error) {
    renameSync(before, folder);
    throw error;
  }
  rmSync(before, { recursive: true, force: true });
}

/** What a folder that is not the owner's kernelspec is, in words. */
function notOurs(folder: string, { name }: Owner): string {
  const other = ownerOf(folder, name);
  return other === undefined
    ? `not a kernelspec that ${name} installed`
    : `the kernelspec of another ${name}, in ${other}`;
}

function realPath(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : resolve(folder);
}

function removeQuietly(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // What made it impossible to write has been said.
  }
}

function firstLine(error: unknown): string {
  return messageOf(error).split("\n")[0] ?? "";
}
