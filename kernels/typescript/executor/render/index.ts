import { types } from "node:util";
import type { Shown } from "../../wire/index.js";
import { OwnMethodError } from "./own.js";
import { plainText } from "./plain.js";
import { renderers } from "./registry.js";
import { textOnly } from "./renderer.js";
import { oneLine } from "./words.js";

export * from "./make.js";
/**
 * How the value of a cell's last expression is shown: a bundle that always has text/plain. Asked for values only:
 * undefined and null are shown as nothing. Never rejects; what a value's own method or a renderer throws becomes a line
 * under the text of the value.
 */
export async function render(value: unknown): Promise<Shown | undefined> {
  if (value === undefined || value === null) return undefined;
  // A proxy may answer to any name: its target is printed, without asking the proxy anything.
  if (isProxy(value)) return textOnly(`Proxy of ${textOf(value)}`);
  const notes: string[] = [];
  for (const renderer of renderers) {
    try {
      const shown = await renderer.render(value);
      if (shown) return notes.length > 0 ? withNotes(shown, notes) : shown;
    } catch (error) {
      notes.push(noteOn(error, renderer.what));
    }
  }
  return withNotes(textOnly(textOf(value)), notes);
}

/** One line on what went wrong. The error may be anything, even what cannot be looked at. */
function noteOn(error: unknown, what: string): string {
  return !isProxy(error) && error instanceof OwnMethodError
    ? `(${error.method}() failed: ${oneLine(error.cause)})`
    : `(could not be shown as ${what}: ${oneLine(error)})`;
}

function isProxy(value: unknown): boolean {
  return (typeof value === "object" || typeof value === "function") && types.isProxy(value);
}

/** As Node.js prints it. Cannot throw. */
function textOf(value: unknown): string {
  try {
    return plainText(value);
  } catch (error) {
    return `[${typeof value} that cannot be printed: ${oneLine(error)}]`;
  }
}

function withNotes({ data, metadata }: Shown, notes: readonly string[]): Shown {
  const text = data["text/plain"];
  return { data: { ...data, "text/plain": [String(text), ...new Set(notes)].join("\n") }, metadata };
}
