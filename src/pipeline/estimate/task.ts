import type { ModelShape } from "../../data/model-shape.js";
import { registry } from "../../data/registry.js";
import type { EffectiveParameters } from "../parameters.js";

const BYTES_PER_TOKEN = 4;
/** Of a record of a file that the registry does not know. */
const UNKNOWN_TOKENS = 64;

/** What a notebook's work follows from. */
export interface Task {
  shape: ModelShape;
  /** A parameter as a number, 0 where it is none. */
  number: (name: string) => number;
  /** A parameter as text, "" where it is none. */
  text: (name: string) => string;
  /** How many elements a list has, 0 where it is none. */
  length: (name: string) => number;
  /** Records of the data set that a parameter names, and tokens of each, at four bytes a token. */
  records: (name: string) => { count: number; tokens: number };
}

/** {@link Task} from the values that a notebook will have. */
export function taskOf(shape: ModelShape, parameters: EffectiveParameters): Task {
  const value = (name: string) => parameters[name]?.value;
  return {
    shape,
    number: (name) => (typeof value(name) === "number" ? (value(name) as number) : 0),
    text: (name) => (typeof value(name) === "string" ? (value(name) as string) : ""),
    length: (name) => (Array.isArray(value(name)) ? (value(name) as unknown[]).length : 0),
    records: (name) => {
      const entry = registry().find((candidate) => candidate.name === value(name));
      if (!entry?.rows) return { count: Infinity, tokens: UNKNOWN_TOKENS };
      return { count: entry.rows, tokens: Math.ceil(entry.bytes / entry.rows / BYTES_PER_TOKEN) };
    },
  };
}
