import type { MadePairs, MakePplmPairsOptions } from "../alignment/pairs/index.js";
import { untilSignalled } from "./signals.js";

/**
 * Makes pairs with a line for every chunk. A signal ends it in good order: what is made stays, and the exit code tells.
 *
 * @returns what was made; undefined where a signal came first
 */
export async function makeWatched(
  make: (watch: Pick<MakePplmPairsOptions, "signal" | "onProgress" | "onPrompts">) => Promise<MadePairs>,
): Promise<MadePairs | undefined> {
  let rows = 0;
  const { value, signal } = await untilSignalled(async (abort) => {
    try {
      return await make({
        signal: abort,
        onPrompts: ({ report }) => {
          if (report.note !== undefined) console.error(report.note);
        },
        onProgress: (done, total) => {
          rows = done;
          console.error(`${done} of ${total} rows`);
        },
      });
    } catch (error) {
      if (!abort.aborted) throw error;
      return undefined;
    }
  });
  if (!value) {
    console.error(`alignscope: interrupted; ${rows} rows are kept, and the same command goes on from there`);
    process.exitCode = signal === "SIGTERM" ? 143 : 130;
  }
  return value;
}

/** What was made, in words. @param path where it is to be found */
export function madeText({ rows, resumed }: MadePairs, path: string): string {
  return `${path}: ${rows} rows${resumed > 0 ? `, ${resumed} of them from before` : ""}`;
}
