import type { Shown } from "../../wire/index.js";

/** One way to show values. It may throw: the text of the value then says so. */
export interface Renderer {
  /** What it shows, for the line that says that it could not: "a tensor". */
  what: string;
  /** What to show, or undefined for a value that is not of its kind. */
  render(value: unknown): Shown | undefined | Promise<Shown | undefined>;
}

/** Text alone. */
export function textOnly(text: string): Shown {
  return { data: { "text/plain": text }, metadata: {} };
}

/** The properties of an object by name; undefined for what is none. */
export function propertiesOf(value: unknown): Record<PropertyKey, unknown> | undefined {
  return typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>) : undefined;
}
