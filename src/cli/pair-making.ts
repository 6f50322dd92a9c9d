import { UserError } from "@alignscope/base/errors";
import type { MadePairs, MakePplmPairsOptions } from "../alignment/pairs/index.js";
import type { Shard } from "../alignment/pairs/shard.js";
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

/**
 * `2/4` as a shard.
 *
 * @throws UserError when it is anything but i/n with 1 ≤ i ≤ n
 */
export function parseShard(text: string): Shard {
  const [, index, of] = (/^(\d+)\/(\d+)$/.exec(text.trim()) ?? []).map(Number);
  if (index === undefined || of === undefined || index < 1 || index > of || of > 9999) {
    throw new UserError(`shard: got ${text}, expected i/n with i from 1 to n, for instance 1/4`);
  }
  return { index, of };
}
