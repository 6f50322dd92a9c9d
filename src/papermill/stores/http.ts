import { UserError, messageOf } from "@alignscope/base/errors";
import { parseNotebook } from "jupyter-wire";
import { RateLimitError, RETRY, withRetries } from "./retry.js";
import { NETWORK_PACE, type NotebookStore } from "./store.js";

/** Milliseconds one request may take. */
const TIMEOUT = 60_000;

/** `http://` and `https://`: read by GET, the finished notebook written by PUT. */
export function httpStore(timeout = TIMEOUT, retry = RETRY): NotebookStore {
  const ask = (path: string, what: string, init: RequestInit): Promise<string> =>
    withRetries(() => request(path, what, init, timeout), retry).catch((error: unknown) => {
      throw error instanceof RateLimitError ? new UserError(error.message) : error;
    });
  return {
    handles: (path) => /^https?:\/\//i.test(path),
    async read(path) {
      const text = await ask(path, "read", { headers: { accept: "application/json" } });
      return parseNotebook(text, path);
    },
    pace: NETWORK_PACE,
    checkWritable: () => undefined,
    async write(path, body) {
      const headers = { "content-type": "application/json" };
      await ask(path, "write", { method: "PUT", headers, body });
    },
  };
}

async function request(path: string, what: string, init: RequestInit, timeout: number): Promise<string> {
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(path, { ...init, signal: AbortSignal.timeout(timeout) });
    text = await answer.text();
  } catch (error) {
    throw new UserError(`cannot ${what} ${path} (${reason(error, timeout)})`);
  }
  if (answer.ok) return text;
  const message =
    `cannot ${what} ${path}: the server answered ${answer.status} ${answer.statusText}`.trimEnd();
  throw answer.status === 429 ? new RateLimitError(message) : new UserError(message);
}

/** fetch itself only says "fetch failed". */
function reason(error: unknown, timeout: number): string {
  if (error instanceof Error && error.name === "TimeoutError") return `no answer within ${timeout / 1000} s`;
  const cause = error instanceof Error ? error.cause : undefined;
  const text = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : undefined;
  return (text ?? messageOf(error)).split("\n")[0] ?? "";
}
