import { whenFree } from "@alignscope/base/lock";
import { mirrorFolder, projectRoot } from "@alignscope/base/paths";
import type { Notebook } from "jupyter-wire";
import { executeNotebook, type Parameters, type RunnerEvent } from "papermill-ts";
import { writeClaims } from "./claims.js";
import { explain, type NotebookResult } from "./failure.js";
import { usesGpu } from "./gpu.js";
import { type GraphNotebook, upstreamOf } from "./graph.js";
import { lockNotebook, lockOutputs } from "./lock.js";
import { KernelWatch } from "./machine.js";
import { manifestIsCurrent, writeManifest } from "./manifest.js";
import {
  chosenNotebooks,
  judge,
  parametersOf,
  type PlanOptions,
  requireArtifacts,
  type Verdict,
} from "./plan.js";
import type { Project } from "./project.js";
import { type Environment, environment, gitState } from "./provenance.js";
import { recorded } from "./recorded.js";
import { finishPublishing, inspectStage, keepFailed, openStage, publish, removeRemains } from "./stage.js";
import { readState, type State } from "./state.js";

/** What a run tells while it goes on. */
export type PipelineEvent =
  | { type: "notebook-started"; notebook: GraphNotebook; reasons: string[] }
  | { type: "notebook-ended"; notebook: GraphNotebook; result: NotebookResult }
  | { type: "runner"; notebook: GraphNotebook; event: RunnerEvent }
  | { type: "warning"; message: string };

export interface ReproduceOptions extends PlanOptions {
  /** Notebooks that may run at the same time, of those on the GPU never more than one. Default: 1. */
  jobs?: number;
  onEvent?: (event: PipelineEvent) => void;
  /** Ends the run early: running notebooks fail, nothing else starts. */
  signal?: AbortSignal;
  /** What runs a notebook. Default: this process's own runner. */
  execute?: typeof executeNotebook;
}

export interface RunNotebookOptions extends Omit<ReproduceOptions, "only" | "from" | "jobs"> {
  /** Wait for another run of the same notebook, or of the whole folder, to end. Default: an error. */
  wait?: boolean;
}

/**
 * Runs the notebooks of a project that are not up to date, each after those whose artifacts it reads. When one fails,
 * those that need it do not run, the others do; the next run begins with what is missing.
 *
 * @returns the results by notebook, in the order of the graph
 * @throws UserError before anything runs: for an unknown notebook, a missing artifact, a folder in use by another run
 */
export async function reproduce(
  project: Project,
  options: ReproduceOptions = {},
): Promise<ReadonlyMap<string, NotebookResult>> {
  const chosen = chosenNotebooks(project, options);
  const unlock = lockOutputs(project.outputs);
  try {
    removeRemains(project.outputs);
    const state = readState(project.outputs);
    await finishPublishing(project, state, project.graph.notebooks);
    const now = await environment(project.graph.kernel);
    await lookUpstream(project, state, now, chosen, options);
    const run = new Run(project, state, now, options);
    const results = await run.all(chosen);
    // Where nothing ran, because single notebooks were run or because a run was killed between results and manifest.
    if (!manifestIsCurrent(project, state)) run.writeManifest();
    writeClaims(project, state, results); // where all is up to date as well: what claims are judged by may have changed
    return results;
  } finally {
    unlock();
  }
}

/**
 * Runs one notebook unless it is up to date, beside others that run in processes of their own: the step of a workflow
 * engine. Manifest, claims and pages are left to the {@link reproduce} that ends the workflow and finds all up to date.
 *
 * @param word its name or the beginning of it
 * @throws UserError for an unknown notebook, a missing artifact, a notebook that another process is running
 */
export async function runNotebook(
  project: Project,
  word: string,
  options: RunNotebookOptions = {},
): Promise<NotebookResult> {
  const chosen = chosenNotebooks(project, { only: [word] });
  const [notebook] = chosen as [GraphNotebook];
  const unlock = await lockWhenFree(project, notebook, options);
  try {
    const state = readState(project.outputs);
    await finishPublishing(project, state, chosen);
    const now = await environment(project.graph.kernel);
    await lookUpstream(project, state, now, chosen, options);
    return await new Run(project, state, now, options).single(notebook);
  } finally {
    unlock();
  }
}

/** Where a killed workflow's step still runs, the same step of the next one finds it done when it has waited. */
async function lockWhenFree(
  project: Project,
  { name }: GraphNotebook,
  { wait = false, signal, onEvent }: RunNotebookOptions,
): Promise<() => void> {
  const take = (): (() => void) => lockNotebook(project.outputs, name);
  if (!wait) return take();
  const onWait = (message: string): void =>
    onEvent?.({ type: "warning", message: `${name} waits: ${message}` });
  return whenFree(take, { onWait, signal, elsewhereAtMost: Infinity });
}

/** What `chosen` read of notebooks outside of it has to be there, and should be up to date. */
async function lookUpstream(
  project: Project,
  state: State,
  now: Environment,
  chosen: readonly GraphNotebook[],
  { onEvent }: ReproduceOptions,
): Promise<void> {
  const outside = new Set<GraphNotebook>();
  for (const notebook of chosen) {
    const upstream = upstreamOf(project.graph, notebook).filter((other) => !chosen.includes(other));
    const theirs = upstream.flatMap(({ makes }) => makes);
    requireArtifacts(project, {
      ...notebook,
      needs: notebook.needs.filter((artifact) => theirs.includes(artifact)),
    });
    upstream.forEach((other) => outside.add(other));
  }
  for (const other of outside) {
    const { reasons } = await judge(project, state, now, other);
    if (reasons.length === 0) continue;
    const message = `${other.name} is out of date (${reasons[0]}); its artifacts are used as they are`;
    onEvent?.({ type: "warning", message });
  }
}

class Run {
  private readonly results = new Map<string, NotebookResult>();
  private readonly startedAt = new Date();
  private readonly git = gitState();

  constructor(
    private readonly project: Project,
    private readonly state: State,
    private readonly now: Environment,
    private readonly options: ReproduceOptions,
  ) {}

  async all(chosen: readonly GraphNotebook[]): Promise<ReadonlyMap<string, NotebookResult>> {
    const waiting = [...chosen];
    const running = new Map<string, Promise<void>>();
    const onGpu = new Set(
      chosen.filter((each) => usesGpu(parametersOf(this.project, each))).map(({ name }) => name),
    );
    while (waiting.length > 0 || running.size > 0) {
      while (running.size < (this.options.jobs ?? 1)) {
        const gpuIsTaken = [...running.keys()].some((name) => onGpu.has(name));
        const next = waiting.findIndex(
          (notebook) =>
            !(gpuIsTaken && onGpu.has(notebook.name)) &&
            upstreamOf(this.project.graph, notebook).every(
              (other) => !chosen.includes(other) || this.results.has(other.name),
            ),
        );
        const [notebook] = next >= 0 ? waiting.splice(next, 1) : [];
        if (!notebook) break;
        const done = this.one(notebook).then((result) => {
          running.delete(notebook.name);
          this.record(notebook, result);
        });
        running.set(notebook.name, done);
      }
      await Promise.race(running.values());
    }
    return new Map(
      chosen.flatMap(({ name }) => {
        const result = this.results.get(name);
        return result ? [[name, result]] : [];
      }),
    );
  }

  async single(notebook: GraphNotebook): Promise<NotebookResult> {
    const result = await this.one(notebook);
    this.options.onEvent?.({ type: "notebook-ended", notebook, result });
    return result;
  }

  writeManifest(): void {
    const { startedAt, git, now, results } = this;
    writeManifest(this.project, { startedAt, git, environment: now, results }, this.state);
  }

  private record(notebook: GraphNotebook, result: NotebookResult): void {
    this.results.set(notebook.name, result);
    if (result.result !== "up to date") {
      // After every notebook, so that a run that is killed leaves a true account of those that ended.
      this.writeManifest();
      writeClaims(this.project, this.state, this.results);
    }
    this.options.onEvent?.({ type: "notebook-ended", notebook, result });
  }

  private async one(notebook: GraphNotebook): Promise<NotebookResult> {
    const blocked = upstreamOf(this.project.graph, notebook).find(({ name }) => {
      const result = this.results.get(name)?.result;
      return result === "failed" || result === "not run";
    });
    if (blocked) return { result: "not run", because: `it needs ${blocked.name}` };
    if (this.options.signal?.aborted) return { result: "not run", because: "the run was interrupted" };
    const verdict = await judge(this.project, this.state, this.now, notebook);
    if (verdict.reasons.length === 0 && !this.options.force) return { result: "up to date" };
    const reasons = this.options.force ? ["--force", ...verdict.reasons] : verdict.reasons;
    this.options.onEvent?.({ type: "notebook-started", notebook, reasons });
    return this.execute(notebook, verdict);
  }

  private async execute(notebook: GraphNotebook, verdict: Verdict): Promise<NotebookResult> {
    const { project, state, options } = this;
    const stage = openStage(project, notebook);
    const start = Date.now();
    const seconds = (): number => (Date.now() - start) / 1000;
    const cellSeconds: number[] = [];
    const mirror = mirrorFolder();
    const watch = new KernelWatch();
    let executed: Notebook | undefined;
    try {
      executed = await (options.execute ?? executeNotebook)(notebook.path, stage.notebook, {
        kernelName: project.graph.kernel,
        pathTemplates: false,
        cwd: projectRoot(),
        parameters: injected(verdict, stage.parameter),
        maskParameters: project.mask,
        environment: mirror === undefined ? {} : { ALIGNSCOPE_MIRROR: mirror },
        onEvent: (event) => {
          watch.report(event);
          if (event.type === "cell-finished") cellSeconds.push(event.seconds);
          options.onEvent?.({ type: "runner", notebook, event });
        },
        ...(options.signal ? { signal: options.signal } : {}),
      });
      const { fingerprint, parameters } = verdict;
      publish(project, state, notebook, {
        fingerprint,
        parameters: recorded(parameters, project.mask),
        outputs: await inspectStage(project, notebook, stage),
        startedAt: new Date(start).toISOString(),
        seconds: seconds(),
        cellSeconds,
        madeBy: watch.seen(executed, this.git),
      });
      return { result: "ran", seconds: seconds(), cells: cellSeconds.length };
    } catch (error) {
      const kept = keepFailed(project, notebook, stage);
      const failure = explain(error, options.signal);
      return { result: "failed", seconds: seconds(), cells: cellSeconds.length, kept, ...failure };
    } finally {
      watch.stop();
    }
  }
}

/** The values to inject; the notebook's own defaults are there already. */
function injected({ parameters }: Verdict, outputs: string): Parameters {
  return Object.fromEntries(
    Object.entries(parameters)
      .filter(([, { source }]) => source !== "notebook")
      .map(([name, { value }]) => [name, name === "outputs" ? outputs : value]),
  );
}
