import type { Json } from "jupyter-wire/nbformat";
import type { JsonObject } from "jupyter-wire/messages";

interface Entry {
  line: number;
  input: string;
  output: string | null;
}

/** There is one session, the kernel's life, and this is its number; requests may also call it 0, "the current one". */
const SESSION = 1;

/** What was run in the life of this kernel, and what it gave. */
export class History {
  readonly #entries: Entry[] = [];

  add(line: number, input: string): void {
    this.#entries.push({ line, input, output: null });
  }

  /** The text of the result of the cell that was added last. */
  setOutput(line: number, output: string): void {
    const last = this.#entries.at(-1);
    if (last?.line === line) last.output = output;
  }

  /** The entries that a history_request asks for, in the form of history_reply. */
  answer(request: JsonObject): Json[] {
    const withOutput = request["output"] === true;
    return this.#select(request).map(({ line, input, output }) => [
      SESSION,
      line,
      withOutput ? [input, output] : input,
    ]);
  }

  #select(request: JsonObject): Entry[] {
    const n = typeof request["n"] === "number" ? Math.max(0, Math.floor(request["n"])) : undefined;
    switch (request["hist_access_type"]) {
      case "tail":
        return last(this.#entries, n);
      case "range": {
        const { session = 0, start = 0, stop } = request;
        if (session !== 0 && session !== SESSION) return [];
        const to = typeof stop === "number" ? stop : Infinity;
        return this.#entries.filter(({ line }) => line >= Number(start) && line < to);
      }
      case "search": {
        const pattern = typeof request["pattern"] === "string" ? request["pattern"] : "*";
        const found = this.#entries.filter(({ input }) => matchesGlob(input, pattern));
        return last(request["unique"] === true ? lastOfEach(found) : found, n);
      }
      default:
        return [];
    }
  }
}

function last<T>(items: T[], n: number | undefined): T[] {
  return n === undefined ? items : items.slice(Math.max(0, items.length - n));
}

/** Of entries with the same input only the newest. */
function lastOfEach(entries: Entry[]): Entry[] {
  const newest = new Map(entries.map((entry) => [entry.input, entry]));
  return entries.filter((entry) => newest.get(entry.input) === entry);
}

/** Whether the whole text fits: `*` stands for any text, `?` for one character. Takes a step back only to the last `*`. */
export function matchesGlob(text: string, pattern: string): boolean {
  let [at, inPattern, star, resume] = [0, 0, -1, 0];
  while (at < text.length) {
    const sign = pattern[inPattern];
    if (sign === "*") {
      star = inPattern++;
      resume = at;
    } else if (sign === "?" || sign === text[at]) {
      at++;
      inPattern++;
    } else if (star >= 0) {
      inPattern = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === "*") inPattern++;
  return inPattern === pattern.length;
}
