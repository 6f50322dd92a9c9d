import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeJsonAtomic } from "../data/files";
import type { Json } from "../jupyter";
import type { EffectiveParameters } from "./parameters";
import type { Environment } from "./provenance";
import { isSecretPrint } from "./recorded";

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
}

/** What an output folder remembers between runs, in `.state.json`. */
export interface State {
  version: 1;
  notebooks: Record<string, FinishedNotebook>;
}

/** The memory of `outputs`; an empty one where there is none or it cannot be read (everything runs again then). */
export function readState(outputs: string): State {
  const path = join(outputs, ".state.json");
  try {
    if (existsSync(path)) {
      const state = JSON.parse(readFileSync(path, "utf8")) as State;
      if (state.version === 1) return state;
    }
  } catch {
    // Unreadable memory costs a run, never a wrong result.
  }
  return { version: 1, notebooks: {} };
}

export function writeState(outputs: string, state: State): void {
  writeJsonAtomic(join(outputs, ".state.json"), state);
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
