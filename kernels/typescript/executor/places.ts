import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

/** A place in a cell or a local module: lines and columns count from 1. */
export interface Place {
  /** A cell's script name (see wire/names.ts), or a file's path. */
  source: string;
  line: number;
  column: number;
}

/** Remembers where the code of cells and local modules was written, to lead an error's stack back there. */
export class Places {
  readonly #maps = new Map<string, TraceMap[]>();

  /** `maps` lead, one after the other, from what runs to what was written. */
  add(source: string, maps: readonly string[]): void {
    this.#maps.set(
      source,
      maps.map((map) => new TraceMap(map)),
    );
    // A session of many thousand cells keeps the latest: an error leads to an older one seldom enough.
    if (this.#maps.size > REMEMBERED) this.#maps.delete(this.#maps.keys().next().value ?? "");
  }

  /** Where that place of the running code was written; itself for a foreign script; undefined for what nobody wrote. */
  written(place: Place): Place | undefined {
    const steps = this.#maps.get(place.source);
    if (!steps) return place;
    let { line, column } = place;
    for (const step of steps) {
      const found = originalPositionFor(step, { line, column: column - 1 });
      if (found.line === null) return undefined;
      line = found.line;
      column = found.column + 1;
    }
    return { source: place.source, line, column };
  }
}

/** Scripts whose maps are kept. */
const REMEMBERED = 2000;
