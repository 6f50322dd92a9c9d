import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "@alignscope/base/checksum";
import { messageOf, UserError } from "@alignscope/base/errors";
import { writeJsonAtomic } from "@alignscope/base/files";
import { projectRoot } from "@alignscope/base/paths";
import type { Json } from "jupyter-wire";
import type { FailureReason, NotebookResult } from "./failure.js";
import type { Machine } from "./machine.js";
import type { EffectiveParameters } from "./parameters.js";
import type { Project } from "./project.js";
import { type Environment, type GitState, projectVersion } from "./provenance.js";
import type { FinishedNotebook, State } from "./state.js";

/** One notebook in the manifest. What an earlier run left and nothing has changed is recorded as that run left it. */
export interface ManifestNotebook {
  name: string;
  title: string;
  /** In this run: "ran", "up to date", "failed", "not run". */
  result: NotebookResult["result"];
  /** Of the run that made the outputs; absent when the notebook has never run through. */
  startedAt?: string;
  seconds?: number;
  /** Seconds of each code cell, in order. */
  cellSeconds?: number[];
  /** What computed it: versions, commit, kernel, backend, device, driver, model, most memory. */
  madeBy?: Machine;
  /** The values of its parameters that are seeds. */
  seeds?: Record<string, Json>;
  parameters?: EffectiveParameters;
  /** sha256 of the artifacts, data sets and models that it read. */
  inputs?: { artifacts: Record<string, string | null>; data: Record<string, string> };
  /** sha256 by path below the output folder. */
  outputs?: Record<string, string>;
  /** How it ended in this run, where it was run: "completed", or what stopped it. */
  exit?: "completed" | FailureReason;
  /** What stopped it, in this run. */
  error?: string;
}

/** Raised when something is named otherwise or goes; what is added does not raise it. Manifests without one are of format 1. */
const MANIFEST_FORMAT = 2;

/** `manifest.json`: where the results of an output folder come from. */
export interface Manifest {
  format: number;
  alignscope: string;
  title: string;
  profile: string;
  startedAt: string;
  /** Of this run, notebooks that were up to date not counted. */
  seconds: number;
  git: GitState;
  node: string;
  platform: string;
  kernel: string;
  environment: Environment;
  /** sha256 of package-lock.json; null where there is none. */
  lockfile: string | null;
  /** The profile's seed, if it has one. */
  seed: Json;
  notebooks: ManifestNotebook[];
}

/** What is known of a run, also while it goes on. */
export interface RunRecord {
  startedAt: Date;
  environment: Environment;
  git: GitState;
  results: ReadonlyMap<string, NotebookResult>;
}

/** Writes the manifest of a run. Notebooks outside the run appear as they were left. */
export function writeManifest(project: Project, run: RunRecord, state: State): void {
  const notebooks = project.graph.notebooks.map(({ name, title }): ManifestNotebook => {
    const result = run.results.get(name);
    return {
      name,
      title,
      result: result?.result ?? "not run",
      ...describe(state.notebooks[name]),
      ...(result?.result === "ran" ? { exit: "completed" } : {}),
      ...(result?.result === "failed" ? { exit: result.reason, error: result.message } : {}),
    };
  });
  const seeds = notebooks.map(({ parameters }) => parameters?.["seed"]?.value);
  const lockfile = join(projectRoot(), "package-lock.json");
  const manifest: Manifest = {
    format: MANIFEST_FORMAT,
    alignscope: projectVersion(),
    title: project.graph.title,
    profile: project.profile.name,
    startedAt: run.startedAt.toISOString(),
    seconds: (Date.now() - run.startedAt.getTime()) / 1000,
    git: run.git,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    kernel: project.graph.kernel,
    environment: run.environment,
    lockfile: existsSync(lockfile) ? sha256Of(readFileSync(lockfile)) : null,
    seed: seeds.find((seed) => seed !== undefined) ?? null,
    notebooks,
  };
  writeJsonAtomic(join(project.outputs, "manifest.json"), manifest);
}

function describe(finished: FinishedNotebook | undefined): Partial<ManifestNotebook> {
  if (!finished) return {};
  const { startedAt, seconds, cellSeconds, parameters, fingerprint, outputs, madeBy } = finished;
  const inputs = { artifacts: fingerprint.artifacts, data: fingerprint.data };
  const seeds = Object.fromEntries(
    Object.entries(parameters)
      .filter(([name]) => /seed$/i.test(name))
      .map(([name, { value = null }]) => [name, value]),
  );
  return {
    startedAt,
    seconds,
    cellSeconds,
    ...(madeBy ? { madeBy } : {}),
    seeds,
    parameters,
    inputs,
    outputs,
  };
}

/** Whether the manifest that is there speaks of the results that are there. */
export function manifestIsCurrent(project: Project, state: State): boolean {
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(readFileSync(join(project.outputs, "manifest.json"), "utf8")) as Partial<Manifest>;
  } catch {
    return false;
  }
  const { profile, title, notebooks = [] } = manifest;
  return (
    profile === project.profile.name &&
    title === project.graph.title &&
    project.graph.notebooks.every(
      ({ name }) =>
        notebooks.find((entry) => entry.name === name)?.startedAt === state.notebooks[name]?.startedAt,
    )
  );
}

/**
 * The manifest of a run's folder, also one of an earlier format.
 *
 * @throws UserError in one line where there is none, or none that this version can read
 */
export function readManifest(outputs: string): Manifest {
  const path = join(outputs, "manifest.json");
  if (!existsSync(path)) {
    const missing = existsSync(outputs) ? `no manifest.json in ${outputs}` : `no such folder: ${outputs}`;
    throw new UserError(`${missing} (expected the folder of a run): run \`alignscope reproduce\` first`);
  }
  let read: Partial<Manifest> | null;
  try {
    read = JSON.parse(readFileSync(path, "utf8")) as Partial<Manifest> | null;
  } catch (error) {
    throw new UserError(`unreadable ${path} (${messageOf(error)}): run \`alignscope reproduce\` again`);
  }
  if (!read || typeof read.profile !== "string" || !Array.isArray(read.notebooks)) {
    throw new UserError(`${path} is no manifest of a run: run \`alignscope reproduce\` again`);
  }
  const format = read.format ?? 1;
  if (format > MANIFEST_FORMAT) {
    throw new UserError(
      `${path} has format ${format}, this version reads up to ${MANIFEST_FORMAT}: use the newer alignscope that wrote it`,
    );
  }
  return { ...read, format } as Manifest;
}
