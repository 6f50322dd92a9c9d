import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeJsonAtomic } from "@alignscope/base/files";
import type { Json } from "jupyter-wire";
import type { Machine } from "./machine.js";
import type { EffectiveParameters } from "./parameters.js";
import type { Environment } from "./provenance.js";
import { isSecretPrint } from "./recorded.js";

/** Everything that decides what a notebook computes; two runs with the same fingerprint give the same results. */
export interface Fingerprint extends Environment {
  /** sha256 of the notebook's code cells. */
  code: string;
  /** Values by name, of secrets a print; undefined defaults are part of the code. */
  parameters: Record<string, Json>;
  /** sha256 of each artifact that it reads; null for one that is not there. */
  artifacts: Record<string, string | null>;
  /** sha256 of each data set and model that its parameters name. */
  data: Record<string, string>;
}

/** What is known of a notebook that ran through. */
export interface FinishedNotebook {
  fingerprint: Fingerprint;
  parameters: EffectiveParameters;
  /** sha256 of each file that it left, by path below the output folder. */
  outputs: Record<string, string>;
  startedAt: string;
  seconds: number;
  /** Seconds of each code cell, in order. */
  cellSeconds: number[];
  /** What made it; absent where an earlier version did. */
  madeBy?: Machine;
}

/** What an output folder remembers between runs: a file for each notebook, `.state/NAME.json`. */
export interface State {
  notebooks: Record<string, FinishedNotebook>;
}

/** The memory of `outputs`; what cannot be read is forgotten (those notebooks run again then). */
export function readState(outputs: string): State {
  const state: State = { notebooks: {} };
  const earlier = readJson(join(outputs, ".state.json")) as Partial<State> | undefined; // before 0.1.0 in one file
  Object.assign(state.notebooks, earlier?.notebooks);
  const folder = join(outputs, ".state");
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    if (!file.endsWith(".json")) continue;
    const finished = readJson(join(folder, file)) as Partial<FinishedNotebook> | undefined;
    const name = file.slice(0, -".json".length);
    if (finished?.fingerprint && finished.outputs) state.notebooks[name] = finished as FinishedNotebook;
    else Reflect.deleteProperty(state.notebooks, name);
  }
  return state;
}

/** Remembers that a notebook ran through. */
export function rememberFinished(
  outputs: string,
  state: State,
  name: string,
  finished: FinishedNotebook,
): void {
  state.notebooks[name] = finished;
  writeJsonAtomic(join(outputs, ".state", `${name}.json`), finished);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined; // Unreadable memory costs a run, never a wrong result.
  }
}

/** Why `now` is not what ran `before`, in words; empty when nothing differs. */
export function differences(before: Fingerprint, now: Fingerprint): string[] {
  const reasons: string[] = [];
  if (before.code !== now.code) reasons.push("its code changed");
  for (const name of namesOf(before.parameters, now.parameters)) {
    const [was, is] = [before.parameters[name], now.parameters[name]].map((value) => JSON.stringify(value));
    if (was === is) continue;
    if (isSecretPrint(before.parameters[name]) || isSecretPrint(now.parameters[name])) {
      reasons.push(`parameter ${name} changed`);
    } else reasons.push(`parameter ${name} changed from ${was ?? "nothing"} to ${is ?? "nothing"}`);
  }
  for (const name of namesOf(before.artifacts, now.artifacts)) {
    if (before.artifacts[name] !== now.artifacts[name]) {
      reasons.push(now.artifacts[name] === null ? `artifact ${name} is gone` : `artifact ${name} changed`);
    }
  }
  for (const name of namesOf(before.data, now.data)) {
    if (before.data[name] !== now.data[name] && before.data[name] && now.data[name]) {
      reasons.push(`the data behind ${name} changed`);
    }
  }
  if (before.library !== now.library) reasons.push("the library changed");
  if (before.packages !== now.packages) reasons.push("package-lock.json changed");
  if (before.kernel !== now.kernel) reasons.push("the kernel changed");
  return reasons;
}

function namesOf(before: object, now: object): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
}
