import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { UserError } from "@alignscope/base/errors";

/**
 * Refuses a backend that no notebook could open, before any kernel starts. It is opened in a process of its own: a GPU
 * backend takes its memory for as long as its process lives.
 *
 * @returns what was opened, in words; nothing where the choice is left open
 */
export function checkBackend(name: string | undefined): string | undefined {
  if (name === undefined || name === "auto") return undefined;
  const script = `let describe;
  import(process.argv[1]).then(({ describeBackend, openBackend }) => {
    describe = describeBackend;
    return openBackend(process.argv[2]);
  }).then(
    (opened) => { console.log("OPENED " + describe(opened)); process.exit(0); },
    (error) => { console.error("REFUSED " + error.message); process.exit(1); })`;
  const tensors = pathToFileURL(createRequire(import.meta.url).resolve("@alignscope/tensors")).href;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", script, tensors, name], {
    encoding: "utf8",
  });
  if (status === 0) return /^OPENED (.*)$/m.exec(stdout)?.[1];
  const reason = /^REFUSED (.*)$/m.exec(stderr)?.[1];
  throw new UserError(
    reason ?? `${name}: this backend ends the process that opens it; choose another (--backend)`,
  );
}
