import { types } from "node:util";
import { gridText } from "./grid.js";
import type { Renderer } from "./renderer.js";
import { textOnly } from "./renderer.js";
import { count } from "./words.js";

const fewestRecords = 3;
/** So many are looked at: an array whose later items differ has its first ones shown all the same. */
const lookedAt = 1000;
const mostColumns = 12;
const widest = 110;

/** An array of flat records with the same keys, as an aligned table when it is narrow enough to need no gaps. */
export const records: Renderer = {
  what: "records",
  render(value) {
    if (!Array.isArray(value) || value.length < fewestRecords) return undefined;
    const columns = commonKeys(value.slice(0, lookedAt));
    if (!columns) return undefined;
    const text = gridText(
      {
        columns,
        rows: value.length,
        index: String,
        cell: (row, column) => ownValue(value[row], columns[column]!),
        summary: count(value.length, "record"),
      },
      { mostColumns: columns.length, widest: Infinity },
    );
    return text.split("\n").every((line) => line.length <= widest) ? textOnly(text) : undefined;
  },
};

function ownValue(record: unknown, key: string): unknown {
  if (typeof record !== "object" || record === null || types.isProxy(record)) return undefined;
  return Object.getOwnPropertyDescriptor(record, key)?.value;
}

/** The keys of all items if these are plain records of simple values with the same keys in any order. */
function commonKeys(items: readonly unknown[]): string[] | undefined {
  let keys: string[] | undefined;
  for (const item of items) {
    if (typeof item !== "object" || item === null || types.isProxy(item)) return undefined;
    const prototype: unknown = Object.getPrototypeOf(item);
    if (prototype !== Object.prototype && prototype !== null) return undefined;
    const entries = Object.entries(Object.getOwnPropertyDescriptors(item));
    keys ??= entries.map(([key]) => key);
    if (keys.length === 0 || keys.length > mostColumns || entries.length !== keys.length) return undefined;
    for (const [key, property] of entries) {
      if (!keys.includes(key) || !("value" in property) || !isSimple(property.value)) return undefined;
    }
  }
  return keys;
}

function isSimple(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function" && !isLong(value));
}

/** A table would cut it. */
function isLong(value: unknown): boolean {
  return typeof value === "string" && (value.length > 60 || value.includes("\n"));
}
