import { relative } from "node:path";
import { inspect } from "node:util";
import type * as TS from "typescript";
import type { CellError } from "../wire/index.js";
import { cellFile } from "./compiler/local-modules.js";
import { cellScript, executionOf, type Place, type Places } from "./compiler/places.js";
import type { TslabTypeScript } from "./compiler/typescript.js";
import { InterruptedError } from "./execution.js";
import { inKernel } from "./own-frames.js";

const RED = "\u001b[31m";
const DIM = "\u001b[2m";
const PLAIN = "\u001b[0m";

/** Lines of code shown before and after the one an error is in. */
const AROUND = 2;

/** Frames of Node and of the compiler around the cell, which say nothing about the cell. */
const MACHINERY = /node:internal|node:vm|node:async_hooks|[\\/]tslab[\\/]dist[\\/]|__tslab__\.resume/;

function isMachinery(line: string): boolean {
  return MACHINERY.test(line) || inKernel(line);
}

/** What a frame of V8's stack says: `at name (place)` or `at place`. */
const FRAME = /^(\s+at )(?:(.*) \()?(?:file:\/\/)?(.*?):(\d+):(\d+)\)?$/;

/** The code of past executions, by number: what an error's place is shown in. */
export interface CodeBook {
  /** `In [3]`, and the code; undefined for what was never run here. */
  cell(execution: number): { label: string; code: string } | undefined;
}

/** Tells errors in the terms of the person who wrote the cell. */
export class ErrorTeller {
  readonly #ts: TslabTypeScript;
  readonly #places: Places;
  readonly #book: CodeBook;
  readonly #cwd: string;

  constructor(ts: TslabTypeScript, places: Places, book: CodeBook, cwd: string) {
    this.#ts = ts;
    this.#places = places;
    this.#book = book;
    this.#cwd = cwd;
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
    if (isInterruption(value)) {
      const { name: ename, message: evalue } = new InterruptedError();
      return { ename, evalue, traceback: [`${RED}${ename}${PLAIN}: ${evalue}`] };
    }
    if (!(value instanceof Error)) {
      const evalue = safely(() => inspect(value, { depth: 3 }));
      return { ename: "Thrown", evalue, traceback: [`${RED}Thrown${PLAIN}: ${evalue}`] };
    }
    const ename = safely(() => String(value.name || value.constructor.name)) || "Error";
    const evalue = safely(() => String(value.message));
    const { lines, place } = this.#stack(value);
    const frame = place === undefined ? [] : ["", ...this.#frame(place)];
    return {
      ename,
      evalue,
      traceback: [`${RED}${ename}${PLAIN}: ${evalue}`, ...lines, ...this.#causes(value), ...frame],
    };
  }

  /** The stack of an error as text, its frames led back to the cells. */
  text(value: unknown): string {
    return safely(() => (value instanceof Error ? this.thrown(value).traceback.join("\n") : inspect(value)));
  }

  /** What the compiler has against a cell, each with its place and the lines around it. */
  diagnostics(diagnostics: readonly TS.Diagnostic[], execution: number): CellError {
    const told = diagnostics.map((one) => {
      const message = this.#ts.flattenDiagnosticMessageText(one.messageText, "\n");
      return { one, message, place: this.#placeOf(one, execution) };
    });
    return {
      ename: "TypeScriptError",
      evalue: told
        .map(({ message, place }) => `${place ? `${this.#short(place, execution)} - ` : ""}${message}`)
        .join("; "),
      traceback: told.flatMap(({ one, message, place }, index) => [
        ...(index > 0 ? [""] : []),
        `${place ? `${this.#label(place)} - ` : ""}${RED}error${PLAIN} ${DIM}TS${one.code}:${PLAIN} ${message}`,
        ...(place ? this.#frame(place, place.length, one.file?.text) : []),
      ]),
    };
  }

  #placeOf(
    { file, start, length }: TS.Diagnostic,
    execution: number,
  ): (Place & { length: number }) | undefined {
    if (!file || start === undefined) return undefined;
    const { line, character } = this.#ts.getLineAndCharacterOfPosition(file, start);
    const place = { line: line + 1, column: character + 1, length: length ?? 1 };
    // One line stands before a cell's code when it is compiled.
    if (file.fileName === cellFile(this.#cwd)) {
      return { ...place, source: cellScript(execution), line };
    }
    return { ...place, source: file.fileName };
  }

  #stack(error: Error): { lines: string[]; place: Place | undefined } {
    const lines: string[] = [];
    let place: Place | undefined;
    const stack = safely(() => String(error.stack ?? ""));
    for (const line of stack.split("\n")) {
      const match = FRAME.exec(line);
      if (!match) {
        if (/^\s+at /.test(line) && !isMachinery(line)) lines.push(line);
        continue;
      }
      if (isMachinery(line)) continue;
      const [, at = "", name, source = "", row = "1", column = "1"] = match;
      const written = this.#places.written({ source, line: Number(row), column: Number(column) });
      if (!written) continue;
      if (executionOf(source) !== undefined) place ??= written;
      const label = this.#label(written);
      // The function around a cell has no name of its own.
      lines.push(
        name && !/^(async )?(eval|<anonymous>)$/.test(name) ? `${at}${name} (${label})` : `${at}${label}`,
      );
    }
    return { lines, place };
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
        `  [cause]: ${cause.name}: ${cause.message}`,
        ...this.#stack(cause).lines.map((line) => `  ${line}`),
      );
      cause = cause.cause;
    }
    if (error instanceof AggregateError) {
      for (const one of error.errors) lines.push(`  [error]: ${safely(() => String(one))}`);
    }
    return lines;
  }

  #label(place: Place): string {
    const execution = executionOf(place.source);
    const name =
      execution === undefined
        ? place.source.startsWith(this.#cwd)
          ? relative(this.#cwd, place.source)
          : place.source
        : (this.#book.cell(execution)?.label ?? "In [ ]");
    return `${name}:${place.line}:${place.column}`;
  }

  /** A cell's own places need no name. */
  #short(place: Place, execution: number): string {
    return executionOf(place.source) === execution ? `${place.line}:${place.column}` : this.#label(place);
  }

  /** The lines around a place, with a mark under it. */
  #frame({ source, line, column }: Place, length = 1, text?: string): string[] {
    const execution = executionOf(source);
    const code = execution === undefined ? text : this.#book.cell(execution)?.code;
    if (code === undefined) return [];
    const all = code.split("\n");
    const first = Math.max(1, line - AROUND);
    const last = Math.min(all.length, line + AROUND);
    const width = String(last).length;
    const lines: string[] = [];
    for (let number = first; number <= last; number++) {
      const here = number === line;
      const written = all[number - 1] ?? "";
      lines.push(
        `${here ? ">" : " "} ${DIM}${String(number).padStart(width)} |${PLAIN} ${written}`.trimEnd(),
      );
      if (!here) continue;
      const marks = Math.max(1, Math.min(length, written.length - column + 1));
      // Tabs before the place are kept, so that the mark stands under it whatever their width.
      const indent = written.slice(0, column - 1).replace(/[^\t]/g, " ");
      lines.push(`  ${" ".repeat(width)} ${DIM}|${PLAIN} ${indent}${RED}${"^".repeat(marks)}${PLAIN}`);
    }
    return lines;
  }
}

/** The kernel's own, or the error with which V8 ends a script at a signal. */
function isInterruption(value: unknown): boolean {
  return (
    value instanceof InterruptedError ||
    (value instanceof Error && (value as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_INTERRUPTED")
  );
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
