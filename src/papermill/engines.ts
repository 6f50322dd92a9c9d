import { UserError } from "@alignscope/base/errors";
import type { Engine } from "./engine.js";
import { kernelEngine } from "./kernel-engine.js";

/** The engine that is taken unless another is named. */
export const DEFAULT_ENGINE = "papermill-ts";

const engines = new Map<string, Engine>([
  [DEFAULT_ENGINE, kernelEngine],
  // What papermill calls its own: command lines that name it mean the usual way.
  ["nbclient", kernelEngine],
]);

/** Adds an engine, or replaces one. */
export function registerEngine(name: string, engine: Engine): void {
  engines.set(name, engine);
}

/**
 * The engine of that name.
 *
 * @throws UserError that lists those there are
 */
export function findEngine(name: string = DEFAULT_ENGINE): Engine {
  const engine = engines.get(name);
  if (!engine) throw new UserError(`no engine named '${name}' (found ${[...engines.keys()].join(", ")})`);
  return engine;
}
