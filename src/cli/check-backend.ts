import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { UserError } from "@alignscope/base/errors";
import type { Project } from "../pipeline/index.js";
import type { BackendDescription } from "@alignscope/tensors";

/** What opened, and the same in words. */
export type Opened = Pick<BackendDescription, "backend" | "memoryLimitBytes"> & { words: string };

/**
 * Opens a backend in a process of its own: a GPU backend takes its memory for as long as its process lives.
 *
 * @throws UserError in one line where it does not open
 */
export function openElsewhere(name: string): Opened {
  const script = `let describe;
  import(process.argv[1]).then(({ describeBackend, openBackend }) => {
    describe = describeBackend;
    return openBackend(process.argv[2]);
  }).then(
    (opened) => {
      const { backend, memoryLimitBytes } = opened;
      console.log("OPENED " + JSON.stringify({ backend, memoryLimitBytes, words: describe(opened) }));
      process.exit(0);
    },
    (error) => { console.error("REFUSED " + error.message); process.exit(1); })`;
  const tensors = pathToFileURL(createRequire(import.meta.url).resolve("@alignscope/tensors")).href;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", script, tensors, name], {
    encoding: "utf8",
  });
  const opened = /^OPENED (.*)$/m.exec(stdout)?.[1];
  if (status === 0 && opened !== undefined) return JSON.parse(opened) as Opened;
  const reason = /^REFUSED (.*)$/m.exec(stderr)?.[1];
  throw new UserError(
    reason ?? `${name}: this backend ends the process that opens it; choose another (--backend)`,
  );
}

/** Profiles whose tensors take less fit wherever a backend opens; opening one takes seconds. */
const SMALL_BYTES = 1e9;

/**
 * Refuses, before any kernel starts, a backend that does not open and a profile that does not fit on it.
 *
 * @param options.part whether only some notebooks are to run
 * @param options.open what opens a backend
 * @returns a warning where a part of the profile, or other values than its own, may still fit
 * @throws UserError in one line
 */
export async function checkMachine(
  { profile, given }: Pick<Project, "profile" | "given">,
  {
    part,
    open = openElsewhere,
  }: { part: boolean; open?: (name: string) => Pick<Opened, "backend" | "memoryLimitBytes"> },
): Promise<string | undefined> {
  const { roomOn, shortage } = await import("../pipeline/index.js");
  const wanted = given["backend"] ?? profile.parameters["backend"];
  const named = typeof wanted === "string" && wanted !== "auto" ? wanted : undefined;
  if (named === undefined && (profile.memory?.bytes ?? 0) < SMALL_BYTES) return undefined;
  const opened = open(named ?? "auto");
  const amiss = shortage(profile, opened, roomOn(opened));
  const ownValues = Object.keys(given).some((name) => name !== "backend");
  if (amiss !== undefined && !part && !ownValues) throw new UserError(amiss);
  return amiss;
}
