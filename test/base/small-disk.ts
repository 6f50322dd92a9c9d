import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own that holds so many kilobytes. */
export interface SmallDisk {
  folder: string;
  remove(): void;
}

/** @throws Error where this user may not mount one */
export function mountSmallDisk(kilobytes: number): SmallDisk {
  const folder = join(mkdtempSync(join(tmpdir(), "small-disk-")), "disk");
  mkdirSync(folder);
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", folder]);
  if (status !== 0) throw new Error(`cannot mount a small disk: ${String(stderr)}`);
  return {
    folder,
    remove() {
      spawnSync("umount", ["-l", folder]);
      rmSync(join(folder, ".."), { recursive: true });
    },
  };
}

/** What is missing here for a small disk, in words; undefined when all is there. */
export function smallDiskMissing(): string | undefined {
  try {
    mountSmallDisk(64).remove();
    return undefined;
  } catch {
    return "needs a user who may mount a tmpfs";
  }
}
