import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "@alignscope/base/paths";

/** Whose kernelspecs are installed, listed and removed: those of this package, or of a project that builds on it. */
export interface Owner {
  /** The package's name, under which a kernelspec's metadata says where it belongs. */
  name: string;
  /** The package's folder; its own kernelspecs lie in `kernels/` there. */
  folder: string;
}

/** This package itself. */
export const THIS_PACKAGE: Owner = { name: "ts-jupyter-kernel", folder: packageFolder(import.meta.dirname) };

/** The folder of the package of that name that a kernelspec was installed by; undefined if by none. */
export function ownerOf(kernelspec: string, name: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(join(kernelspec, "kernel.json"), "utf8"));
  } catch {
    return undefined;
  }
  const { metadata } = (json ?? {}) as { metadata?: Record<string, { project?: unknown } | undefined> };
  const project = metadata?.[name]?.project;
  return typeof project === "string" ? project : undefined;
}

/**
 * Whether the owner may replace or remove a kernelspec: it installed it, or one of the same name did that is no longer
 * where it was, because its folder was moved or deleted.
 */
export function isOurs(kernelspec: string, owner: Owner): boolean {
  const folder = ownerOf(kernelspec, owner.name);
  return folder !== undefined && (folder === owner.folder || !existsSync(join(folder, "package.json")));
}
