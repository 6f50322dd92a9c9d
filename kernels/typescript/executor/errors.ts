import { inspect } from "node:util";
import { codeFrame, placeLabel } from "../wire/code-frame.js";
import { asWritten, executionOf, type CellError } from "../wire/index.js";
import { InterruptedError, sitesOf } from "./interrupts.js";
import { inKernel } from "./own-frames.js";
import type { Place, Places } from "./places.js";

const RED = "\u001b[31m";
const PLAIN = "\u001b[0m";

/** Frames of Node around the cell, which say nothing about the cell. */
const MACHINERY = /node:internal|node:vm/;

/** What a frame of V8's stack says: `at name (place)` or `at place`. */
const FRAME = /^(\s+at (?:async )?)(?:(.*) \()?(?:file:\/\/)?(.*?):(\d+):(\d+)\)?$/;

/** So many equal frames in a row are told; of a recursion there may be thousands. */
const EQUAL_FRAMES = 3;

/** The code of past executions, by number: what an error's place is shown in. */
export interface CodeBook {
  /** `In [3]`, and the code; undefined for what was never run here. */
  cell(execution: number): { label: string; code: string } | undefined;
}

/** Tells errors in the terms of the person who wrote the cell. */
export class ErrorTeller {
  readonly #places: Places;
  readonly #book: CodeBook;
  readonly #cwd: string;
  /** The first place of an error's stack that is a cell's. */
  readonly #cells = new WeakMap<object, Place>();
  /** How many of the awaits that an error passed through its stack has told of. */
  readonly #told = new WeakMap<object, number>();

  constructor(places: Places, book: CodeBook, cwd: string) {
    this.#places = places;
    this.#book = book;
    this.#cwd = cwd;
  }

  /** Has every stack, also one that a cell reads or prints, name cells and their lines, and no frame of the kernel. */
  tellStacks(): void {
    Error.prepareStackTrace = (error, sites) => {
      const frames = sites.flatMap((site) => this.#frame(error, `    at ${safely(() => String(site))}`));
      frames.push(...this.#awaits(error));
      return [safely(() => asWritten(String(error))), ...shortened(frames)].join("\n");
    };
  }

  /** What a cell threw: its class, its message, and its stack with the cells' own line numbers. */
  thrown(value: unknown): CellError {
    try {
      return this.#thrown(value);
    } catch {
      return { ename: "Thrown", evalue: HIDDEN, traceback: [`${RED}Thrown${PLAIN}: ${HIDDEN}`] };
    }
  }

  #thrown(value: unknown): CellError {
    if (value instanceof InterruptedError) {
      const { name: ename, message: evalue } = value;
      return { ename, evalue, traceback: [`${RED}${ename}${PLAIN}: ${evalue}`] };
    }
    if (!(value instanceof Error)) {
      const evalue = safely(() => inspect(value, { depth: 3 }));
      return { ename: "Thrown", evalue, traceback: [`${RED}Thrown${PLAIN}: ${evalue}`] };
    }
    const ename = safely(() => String(value.name || value.constructor.name)) || "Error";
    const evalue = safely(() => asWritten(String(value.message)));
    const stack = [...this.#stack(value), ...this.#awaits(value)];
    const place = this.#cells.get(value);
    const code = place && this.#book.cell(executionOf(place.source) ?? 0)?.code;
    const frame = place === undefined || code === undefined ? [] : ["", ...codeFrame(code, place)];
    return {
      ename,
      evalue,
      traceback: [`${RED}${ename}${PLAIN}: ${evalue}`, ...stack, ...this.#causes(value), ...frame],
    };
  }

  /** The stack of an error as text. */
  text(value: unknown): string {
    return safely(() => (value instanceof Error ? this.thrown(value).traceback.join("\n") : inspect(value)));
  }

  /** The frames of an error, each a line. */
  #stack(error: Error): string[] {
    return safely(() => String(error.stack ?? ""))
      .split("\n")
      .filter((line) => /^\s+at |^\s+\.\.\. /.test(line));
  }

  /** Frames of the awaits that an error has passed through, those that its stack has not told of. */
  #awaits(error: object): string[] {
    const sites = sitesOf(error);
    const told = this.#told.get(error) ?? 0;
    this.#told.set(error, sites.length);
    return sites.slice(told).flatMap((site) => this.#frame(error, `    at async ${site}`, true));
  }

  /** A frame led back to what was written, if it does not tell of that already; none for machinery. */
  #frame(error: object, line: string, isWritten = false): string[] {
    if (MACHINERY.test(line) || inKernel(line)) return [];
    const match = FRAME.exec(line);
    if (!match) return [asWritten(line)];
    const [, at = "", name = "", source = "", row = "1", column = "1"] = match;
    const place = { source, line: Number(row), column: Number(column) };
    const written = isWritten ? place : this.#places.written(place);
    if (!written) return [];
    if (executionOf(source) !== undefined && !this.#cells.has(error)) this.#cells.set(error, written);
    const label = placeLabel(written, (cell) => this.#book.cell(cell)?.label, this.#cwd);
    // The function around a cell has no name of its own.
    if (/^(Object\.|eval|<anonymous>)?$/.test(name)) return [`${at}${label}`];
    return [`${at}${asWritten(name)} (${label})`];
  }

  #causes(error: Error): string[] {
    const lines: string[] = [];
    const seen = new Set<unknown>([error]);
    for (let cause = error.cause; cause !== undefined && !seen.has(cause);) {
      seen.add(cause);
      if (!(cause instanceof Error)) {
        lines.push(`  [cause]: ${safely(() => inspect(cause, { depth: 2 }))}`);
        break;
      }
      lines.push(
        `  [cause]: ${cause.name}: ${asWritten(cause.message)}`,
        ...this.#stack(cause).map((line) => `  ${line}`),
      );
      cause = cause.cause;
    }
    if (error instanceof AggregateError) {
      for (const one of error.errors) lines.push(`  [error]: ${safely(() => String(one))}`);
    }
    return lines;
  }
}

/** Frames, those cut that repeat the one before. */
function shortened(frames: readonly string[]): string[] {
  const lines: string[] = [];
  for (let at = 0; at < frames.length;) {
    let end = at + 1;
    while (end < frames.length && frames[end] === frames[at]) end++;
    lines.push(...frames.slice(at, Math.min(end, at + EQUAL_FRAMES)));
    if (end - at > EQUAL_FRAMES) lines.push(`    ... the same ${end - at - EQUAL_FRAMES} times more`);
    at = end;
  }
  return lines;
}

const HIDDEN = "(an object that cannot be shown)";

/** An object may refuse to be looked at. */
function safely(read: () => string): string {
  try {
    return read();
  } catch {
    return HIDDEN;
  }
}
