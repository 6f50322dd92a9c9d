import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "@alignscope/base/paths";

/** The folder of the alignscope that a kernelspec was installed by, which its metadata names; undefined if by none. */
export function ownerOf(folder: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8"));
  } catch {
    return undefined;
  }
  const { metadata } = (json ?? {}) as { metadata?: { alignscope?: { project?: unknown } } };
  const project = metadata?.alignscope?.project;
  return typeof project === "string" ? project : undefined;
}

/**
 * Whether this project may replace or remove a kernelspec: it installed it, or one did that is no longer where it was,
 * because its folder was moved or deleted.
 */
export function isOurs(folder: string): boolean {
  const owner = ownerOf(folder);
  return owner !== undefined && (owner === projectRoot() || !existsSync(join(owner, "package.json")));
}
