import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

/** A place in a cell or a local module: lines and columns count from 1. */
export interface Place {
  /** A cell's script name, as {@link cellScript} makes it, or a file's path. */
  source: string;
  line: number;
  column: number;
}

const CELL_SCRIPT = /^ts-jupyter-kernel-cell-(\d+)\.ts$/;

/** The name under which V8 knows the script of an execution. */
export function cellScript(execution: number): string {
  return `ts-jupyter-kernel-cell-${execution}.ts`;
}

/** The execution whose script has that name. */
export function executionOf(source: string): number | undefined {
  const match = CELL_SCRIPT.exec(source);
  return match ? Number(match[1]) : undefined;
}

/** How many lines stand before the code in the text that is compiled for a cell or an in-memory module. */
const PREFIX_LINES = 1;

const MAP_COMMENT = /\n?\/\/# sourceMappingURL=data:application\/json;base64,([A-Za-z0-9+/=]+)\s*$/;

/** JavaScript, and where each of its places was written. */
export interface Mapped {
  code: string;
  map: string | undefined;
}

/** Takes the inline source map off the code. */
export function takeMap(code: string): Mapped {
  const match = MAP_COMMENT.exec(code);
  if (!match) return { code, map: undefined };
  return {
    code: code.slice(0, match.index),
    map: Buffer.from(match[1] ?? "", "base64").toString("utf8"),
  };
}

/** Remembers where the code of cells and local modules was written, to lead an error's stack back there. */
export class Places {
  readonly #maps = new Map<string, { steps: TraceMap[]; shift: number }>();

  /**
   * `maps` lead, one after the other, from what runs to what was written; `prefixed` says that a line stood before it when
   * it was compiled.
   */
  add(source: string, maps: readonly string[], prefixed: boolean): void {
    this.#maps.set(source, {
      steps: maps.map((map) => new TraceMap(map)),
      shift: prefixed ? PREFIX_LINES : 0,
    });
    // A session of many thousand cells keeps the latest: an error leads to an older one seldom enough.
    if (this.#maps.size > REMEMBERED) this.#maps.delete(this.#maps.keys().next().value ?? "");
  }

  /** Where that place of the running code was written; itself for a foreign script; undefined for what nobody wrote. */
  written(place: Place): Place | undefined {
    const known = this.#maps.get(place.source);
    if (!known) return place;
    let { line, column } = place;
    for (const step of known.steps) {
      const found = originalPositionFor(step, { line, column: column - 1 });
      if (found.line === null) return undefined;
      line = found.line;
      column = found.column + 1;
    }
    return { source: place.source, line: Math.max(1, line - known.shift), column };
  }
}

/** Scripts whose maps are kept. */
const REMEMBERED = 2000;
