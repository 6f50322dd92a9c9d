import { join } from "node:path";
import { writeJsonAtomic } from "../data/files";
import type { Json } from "../jupyter";
import type { EffectiveParameters } from "./parameters";
import type { Project } from "./project";
import { type Environment, type GitState, projectVersion } from "./provenance";
import type { NotebookResult } from "./reproduce";
import type { FinishedNotebook, State } from "./state";

/** One notebook in the manifest. What an earlier run left and nothing has changed is recorded as that run left it. */
export interface ManifestNotebook {
  name: string;
  title: string;
  /** In this run: "ran", "up to date", "failed", "not run". */
  result: NotebookResult["result"];
  /** Of the run that made the outputs; absent when the notebook has never run through. */
  startedAt?: string;
  seconds?: number;
  cellSeconds?: number[];
  parameters?: EffectiveParameters;
  /** sha256 of the artifacts, data sets and models that it read. */
  inputs?: { artifacts: Record<string, string | null>; data: Record<string, string> };
  /** sha256 by path below the output folder. */
  outputs?: Record<string, string>;
  /** What stopped it, in this run. */
  error?: string;
}

/** `manifest.json`: where the results of an output folder come from. */
export interface Manifest {
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
      ...(result?.result === "failed" ? { error: result.message } : {}),
    };
  });
  const seeds = notebooks.map(({ parameters }) => parameters?.["seed"]?.value);
  const manifest: Manifest = {
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
    seed: seeds.find((seed) => seed !== undefined) ?? null,
    notebooks,
  };
  writeJsonAtomic(join(project.outputs, "manifest.json"), manifest);
}

function describe(finished: FinishedNotebook | undefined): Partial<ManifestNotebook> {
  if (!finished) return {};
  const { startedAt, seconds, cellSeconds, parameters, fingerprint, outputs } = finished;
  const inputs = { artifacts: fingerprint.artifacts, data: fingerprint.data };
  return { startedAt, seconds, cellSeconds, parameters, inputs, outputs };
}
