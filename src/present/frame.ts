import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import type { DataFrame } from "danfojs-node";
import type { Cell, Row } from "./rows.js";
import { columnKeys, toCsv } from "./rows.js";

// The one file that knows danfojs. Its types stay out of every signature, so that a notebook's compiler never reads them.

type Danfo = typeof import("danfojs-node");

let danfo: Danfo | undefined;

/**
 * Loads danfojs on first use (it takes a second). It brings a copy of tfjs-core of its own, whose loading warns that the
 * platform "has already been set"; the PROD flag, which is what tfjs offers against that warning, is on just meanwhile.
 */
function loadDanfo(): Danfo {
  if (!danfo) {
    const environment = tf.env();
    const before = environment.getBool("PROD");
    environment.set("PROD", true);
    try {
      danfo = createRequire(import.meta.url)("danfojs-node") as Danfo;
    } finally {
      environment.set("PROD", before);
    }
  }
  return danfo;
}

/**
 * Rows and columns, on a danfojs DataFrame. Frames are immutable: each method returns a new one.
 *
 * @example frame(rows).sortBy("toxicity", { descending: true }).head(5).rows()
 */
export class Frame {
  private readonly inner: DataFrame;
  /** Column keys, in order. */
  readonly columns: readonly string[];

  /** Prefer {@link frame}. `columns` fixes which keys are kept and their order; default: all, as they first appear. */
  constructor(rows: readonly Row[], columns: readonly string[] = columnKeys(rows)) {
    this.columns = [...columns];
    const values = rows.map((row) => columns.map((key) => row[key] ?? null));
    this.inner = new (loadDanfo().DataFrame)(values, { columns: [...columns] });
  }

  private static from(inner: DataFrame): Frame {
    const columns = inner.columns;
    const rows = (inner.values as Cell[][]).map((cells) =>
      Object.fromEntries(columns.map((key, index) => [key, cells[index] ?? null])),
    );
    return new Frame(rows, columns);
  }

  private assertColumns(keys: readonly string[]): void {
    for (const key of keys) {
      if (!this.columns.includes(key)) {
        throw new Error(`unknown column: ${key} (columns: ${this.columns.join(", ") || "none"})`);
      }
    }
  }

  /** Number of rows. */
  get length(): number {
    return this.inner.shape[0] ?? 0;
  }

  /** The rows as records, in order; an empty cell is null. */
  rows(): Record<string, Cell>[] {
    if (this.length === 0) return [];
    return (this.inner.values as Cell[][]).map((cells) =>
      Object.fromEntries(this.columns.map((key, index) => [key, cells[index] ?? null])),
    );
  }

  /** One column's values. Throws on an unknown key. */
  column(key: string): Cell[] {
    this.assertColumns([key]);
    return this.rows().map((row) => row[key] ?? null);
  }

  /** The named columns, in the named order. */
  select(...keys: string[]): Frame {
    this.assertColumns(keys);
    return this.length === 0 ? new Frame([], keys) : Frame.from(this.inner.loc({ columns: keys }));
  }

  /** Rows that satisfy `keep`. */
  where(keep: (row: Record<string, Cell>) => boolean): Frame {
    return new Frame(this.rows().filter(keep), this.columns);
  }

  /** Sorted by a column's values, ascending unless told otherwise. */
  sortBy(key: string, options: { descending?: boolean } = {}): Frame {
    this.assertColumns([key]);
    if (this.length === 0) return this;
    return Frame.from(this.inner.sortValues(key, { ascending: !options.descending }));
  }

  /** The first `count` rows. */
  head(count = 5): Frame {
    return this.length <= count ? this : Frame.from(this.inner.head(count));
  }

  /** Means of `keys` for each combination of values of `by`; columns: `by`, then each key under its own name. */
  groupMean(by: readonly string[], keys: readonly string[]): Frame {
    this.assertColumns([...by, ...keys]);
    if (this.length === 0) return new Frame([], [...by, ...keys]);
    const means = this.inner
      .groupby([...by])
      .col([...keys])
      .mean();
    const rows = (means.values as Cell[][]).map((cells) =>
      Object.fromEntries([...by, ...keys].map((key, index) => [key, cells[index] ?? null])),
    );
    return new Frame(rows, [...by, ...keys]);
  }

  /** CSV with every digit. */
  csv(): string {
    return toCsv(this.rows(), this.columns);
  }
}

/** A `Frame` of `rows`. */
export function frame(rows: readonly Row[], columns?: readonly string[]): Frame {
  return new Frame(rows, columns);
}
