import { join } from "node:path";
import type { Host, Ran } from "../host.js";

/** What a trial said of itself, or how its process ended without a word. */
export type Trial<T> = { said: T } | { refused: string } | { ended: string };

/** Tries something in a process of its own, so that a crash there is an answer and not the end. */
export async function attempt<T>(
  host: Host,
  name: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<Trial<T>> {
  const script = join(host.root, "dist", "src", "cli", "doctor", "trials", `${name}.js`);
  return readTrial(await host.run(process.execPath, [script, ...args], timeoutMs), timeoutMs);
}

function readTrial<T>(ran: Ran, timeoutMs: number): Trial<T> {
  const line = /^TRIAL (.*)$/m.exec(ran.stdout)?.[1];
  if (line !== undefined) {
    const said = JSON.parse(line) as T & { refused?: string };
    return said.refused === undefined ? { said } : { refused: said.refused };
  }
  if (ran.failure === "timeout") return { ended: `no result after ${timeoutMs / 1000} s` };
  if (ran.failure === "missing") return { ended: "its process could not be started" };
  const last = ran.stderr
    .trim()
    .split("\n")
    .filter((text) => /error/i.test(text))
    .at(-1)
    ?.trim();
  const how = ran.signal ? `signal ${ran.signal}` : `exit code ${ran.code}`;
  return { ended: `its process ended with ${how}${last ? ` (${last.slice(0, 200)})` : ""}` };
}
