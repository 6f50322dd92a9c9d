import { inspect, types } from "node:util";
import { briefClass, withBriefClasses } from "./brief.js";
import { clip } from "./words.js";

/** No text but that of a string is longer, in UTF-16 units. */
export const longestText = 100_000;

/** How many values a text may mention; inspect has no such bound of its own, only one per array and per level. */
const mostValues = 2000;
const mostKeys = 200;

interface Way {
  depth: number;
  maxArrayLength: number;
}

/** From generous to sparse: the first that keeps to {@link mostValues} is taken. */
const ways: readonly Way[] = [
  { depth: 4, maxArrayLength: 100 },
  { depth: 4, maxArrayLength: 20 },
  { depth: 3, maxArrayLength: 20 },
  { depth: 2, maxArrayLength: 20 },
  { depth: 2, maxArrayLength: 6 },
  { depth: 1, maxArrayLength: 100 },
  { depth: 1, maxArrayLength: 20 },
];
const sparsest = { depth: 0, maxArrayLength: 100 };

/** The value as Node.js prints it, without colours and bounded. May throw: a value can refuse to be looked at. */
export function plainText(value: unknown): string {
  const shown = withFirstKeys(value);
  const brief = new Set<object>();
  const way = ways.find((each) => valuesIn(shown, each, brief) <= mostValues) ?? sparsest;
  const options = { ...way, breakLength: 110, maxStringLength: 1000, colors: false };
  return clip(
    withBriefClasses(brief, () => inspect(shown, options)),
    longestText,
  );
}

/**
 * How many values inspect would print; it stops counting soon after {@link mostValues}. Runs no getter and no trap.
 *
 * @param brief takes the classes met whose objects are to be printed in a few words
 */
function valuesIn(value: unknown, { depth, maxArrayLength }: Way, brief: Set<object>): number {
  let total = 0;
  // What is printed again counts again, as inspect repeats it; a cycle it does not follow.
  const above = new Set<object>();
  const visit = (item: unknown, levels: number): void => {
    total += 1;
    if (total > mostValues || typeof item !== "object" || item === null) return;
    if (types.isProxy(item) || ArrayBuffer.isView(item) || types.isAnyArrayBuffer(item)) return;
    const inWords = briefClass(item);
    if (inWords) brief.add(inWords);
    if (inWords || levels < 0 || above.has(item)) return;
    above.add(item);
    for (const child of children(item, maxArrayLength)) {
      visit(child, levels - 1);
      if (total > mostValues) break;
    }
    above.delete(item);
  };
  visit(value, depth);
  return total;
}

function* children(item: object, maxArrayLength: number): Generator {
  if (Array.isArray(item)) {
    const end = Math.min(item.length, maxArrayLength);
    for (let index = 0; index < end; index += 1) {
      yield Object.getOwnPropertyDescriptor(item, index)?.value;
    }
    return;
  }
  if (types.isMap(item)) {
    let left = maxArrayLength;
    for (const [key, entry] of Map.prototype.entries.call(item)) {
      if ((left -= 1) < 0) break;
      yield key;
      yield entry;
    }
  } else if (types.isSet(item)) {
    let left = maxArrayLength;
    for (const entry of Set.prototype.values.call(item)) {
      if ((left -= 1) < 0) break;
      yield entry;
    }
  }
  for (const key of Object.keys(item)) yield Object.getOwnPropertyDescriptor(item, key)?.value;
}

/** An object with very many keys, as one of its kind with the first ones and a word on the rest. */
function withFirstKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return value;
  // Others print more than their keys, or print themselves.
  if (Object.prototype.toString.call(value) !== "[object Object]") return value;
  if (inspect.custom in value) return value;
  const keys = Object.keys(value);
  if (keys.length <= mostKeys) return value;
  const copy = Object.create(Object.getPrototypeOf(value) as object | null) as object;
  for (const key of keys.slice(0, mostKeys)) {
    Object.defineProperty(copy, key, Object.getOwnPropertyDescriptor(value, key)!);
  }
  const rest = {
    [inspect.custom]: () => `${(keys.length - mostKeys).toLocaleString("en-US")} more properties`,
  };
  Object.defineProperty(copy, "…", { value: rest, enumerable: true });
  return copy;
}
