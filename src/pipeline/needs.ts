import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { whereabouts } from "../data/locate.js";
import { registry, type Registered } from "../data/registry.js";
import type { Json } from "jupyter-wire";
import type { EffectiveParameters } from "./parameters.js";

/** The parameters that name data sets, models or scorers, and the words among their values that name none. */
export const DATA_PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  prompts: [],
  continuations: [],
  perplexityText: [],
  comments: [],
  pairs: ["make"],
  pairPrompts: [],
  attribute: ["probe"],
  lensPrompts: [""],
  scorer: [],
  otherScorers: [],
};

/** A data set, a model or a scorer that parameters name. */
export interface NeededData {
  name: string;
  kind: "dataset" | "model" | "scorer" | "file";
  description: string;
  /** Who published it, in words. */
  origin: string;
  /** The parameters that name it. */
  parameters: string[];
  /**
   * Where it lies: in the repository, the mirror, the cache, at a path of the user's own; or, not being here, whether it
   * can be downloaded, has to be put into a mirror ("nowhere"), is a service, or is a name that nobody knows.
   */
  where: "embedded" | "mirror" | "cache" | "path" | "download" | "nowhere" | "service" | "unknown";
  /** Whether it is on this machine. */
  here: boolean;
  /** Bytes to fetch or to copy; null where no one has said. */
  bytes: number | null;
  /** Whether `bytes` is exact. */
  exact: boolean;
  /** Whether what arrives is compared with a sha256. */
  checked: boolean;
}

/** What a scorer's name stands for; the registry of scorers belongs to a room that this one does not know. */
export type ScorerFiles =
  | { readonly registered: string }
  | { readonly about: number; readonly description: string; readonly here: () => boolean }
  | { readonly service: string };

/** What the parameters of some notebooks name, each once, in the order in which it is first named. */
export function neededData(
  parameters: readonly EffectiveParameters[],
  scorers: ReadonlyMap<string, ScorerFiles> = new Map(),
): NeededData[] {
  const entries = registry();
  const needed = new Map<string, NeededData>();
  for (const [parameter, value] of parameters.flatMap(namesIn)) {
    const isScorer = /scorers?$/i.test(parameter);
    const known =
      needed.get(value) ?? (isScorer ? ofScorer(value, scorers, entries) : ofName(value, entries));
    needed.set(value, known);
    if (!known.parameters.includes(parameter)) known.parameters.push(parameter);
  }
  return [...needed.values()];
}

/** Parameter and name, of the values that name something. */
function namesIn(parameters: EffectiveParameters): [parameter: string, name: string][] {
  return Object.entries(DATA_PARAMETERS).flatMap(([parameter, none]) =>
    textsIn(parameters[parameter]?.value)
      .filter((text) => !none.includes(text))
      .map((text): [string, string] => [parameter, text]),
  );
}

function textsIn(value: Json | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return typeof value === "string" ? [value] : [];
}

function ofScorer(
  name: string,
  scorers: ReadonlyMap<string, ScorerFiles>,
  entries: readonly Registered[],
): NeededData {
  const files = scorers.get(name);
  if (!files) return unknown(name);
  if ("registered" in files) return { ...ofName(files.registered, entries), name };
  const scorer = { name, kind: "scorer", parameters: [], checked: false, exact: false } as const;
  if ("service" in files) {
    const where = { where: "service", here: false, bytes: 0 } as const;
    return { ...scorer, ...where, description: files.service, origin: "a service", parameters: [] };
  }
  const { about, description } = files;
  let here = false;
  try {
    here = files.here();
  } catch {
    // Named by the environment and incomplete: whoever opens it says so.
  }
  const where = here ? "path" : "download";
  return { ...scorer, where, here, bytes: about, description, origin: description, parameters: [] };
}

function ofName(name: string, entries: readonly Registered[]): NeededData {
  const entry = entries.find((candidate) => candidate.name === name);
  if (!entry) return /[/\\]/.test(name) ? ofPath(name) : unknown(name);
  const where = whereabouts(entry);
  const { kind, description, origin } = entry;
  const delivered = where === "download" ? (entry.sources.archive?.bytes ?? entry.bytes) : entry.bytes;
  return {
    ...{ name, kind, description, origin, parameters: [], where },
    here: where !== "download" && where !== "nowhere",
    bytes: delivered > 0 ? delivered : null,
    exact: delivered > 0,
    checked: entry.files.length > 0,
  };
}

function ofPath(name: string): NeededData {
  const here = existsSync(resolve(name));
  return {
    ...{ name, kind: "file", description: "a path of your own", origin: "yours", parameters: [] },
    ...{ where: here ? "path" : "nowhere", here, bytes: null, exact: false, checked: false },
  };
}

function unknown(name: string): NeededData {
  return {
    ...{
      name,
      kind: "file",
      description: "a name that nothing here knows",
      origin: "unknown",
      parameters: [],
    },
    ...{ where: "unknown", here: false, bytes: null, exact: false, checked: false },
  };
}
