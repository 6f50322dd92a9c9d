import { existsSync } from "node:fs";
import { join } from "node:path";
import { checksumOf, sha256Of } from "@alignscope/base/checksum";
import { UserError } from "@alignscope/base/errors";
import { readNotebook } from "jupyter-wire";
import { type GraphNotebook, makerOf, selectNotebooks, upstreamOf, withFollowers } from "./graph.js";
import { type ChosenParameters, effectiveParameters, type EffectiveParameters } from "./parameters.js";
import type { Project } from "./project.js";
import { dataChecksums, type Environment, environment } from "./provenance.js";
import { fingerprintOf, recorded } from "./recorded.js";
import { differences, type Fingerprint, readState, type State } from "./state.js";

/** run: will run; maybe: will run if a notebook before it changes what it reads; skip: is up to date. */
export type PlannedAction = "run" | "maybe" | "skip";

export interface PlannedNotebook {
  notebook: GraphNotebook;
  action: PlannedAction;
  /** Why, in words; for "skip" that nothing changed. */
  reasons: string[];
  /** How long it took when it last ran through. */
  lastSeconds: number | undefined;
  /** What it would run with, secrets masked. */
  parameters: EffectiveParameters;
}

export interface PlanOptions {
  /** Names or beginnings of names: these and no others. */
  only?: readonly string[];
  /** Names or beginnings of names: these and every notebook that reads, directly or not, what they make. */
  from?: readonly string[];
  /** Run what is up to date as well. */
  force?: boolean;
}

/** What one notebook would do now, before anything else runs. */
export interface Verdict {
  reasons: string[];
  /** With the secrets: to be injected, not to be written. */
  parameters: ChosenParameters;
  fingerprint: Fingerprint;
}

/**
 * The notebooks that `only` and `from` leave, in order.
 *
 * @throws UserError when both are given: one takes away what the other adds
 */
export function chosenNotebooks(
  project: Project,
  { only = [], from = [] }: PlanOptions = {},
): GraphNotebook[] {
  if (only.length > 0 && from.length > 0) {
    throw new UserError(
      "--only and --from were both given: --only is these alone, --from is all that follow",
    );
  }
  if (from.length > 0) return withFollowers(project.graph, selectNotebooks(project.graph, from));
  return only.length > 0 ? selectNotebooks(project.graph, only) : project.graph.notebooks;
}

/** What `reproduce` with the same options would do, in order. Nothing is run and nothing is written. */
export async function plan(project: Project, options: PlanOptions = {}): Promise<PlannedNotebook[]> {
  const state = readState(project.outputs);
  const now = await environment(project.graph.kernel);
  const planned: PlannedNotebook[] = [];
  for (const notebook of chosenNotebooks(project, options)) {
    const { reasons, parameters: chosen } = await judge(project, state, now, notebook);
    const parameters = recorded(chosen, project.mask);
    if (options.force) reasons.unshift("--force");
    const upstream = upstreamOf(project.graph, notebook);
    const waitsFor = planned.filter(
      (other) => other.action !== "skip" && upstream.some(({ name }) => name === other.notebook.name),
    );
    const lastSeconds = state.notebooks[notebook.name]?.seconds;
    if (reasons.length > 0) {
      planned.push({ notebook, action: "run", reasons, lastSeconds, parameters });
    } else if (waitsFor.length > 0) {
      const names = waitsFor.map((other) => other.notebook.name).join(", ");
      const condition = `if what it reads of ${names} changes`;
      planned.push({ notebook, action: "maybe", reasons: [condition], lastSeconds, parameters });
    } else {
      planned.push({ notebook, action: "skip", reasons: ["up to date"], lastSeconds, parameters });
    }
  }
  return planned;
}

/** What `notebook` would run with. */
export function parametersOf(project: Project, { name }: GraphNotebook): ChosenParameters {
  const declared = project.declared.get(name) ?? [];
  const parameters = effectiveParameters(name, declared, project.profile, project.given, project.mask);
  if (parameters["profile"]) parameters["profile"] = { value: project.profile.name, source: "run" };
  if (parameters["outputs"]) parameters["outputs"] = { value: project.outputsParameter, source: "run" };
  return parameters;
}

/** Whether `notebook` has to run, and what it would run with. No reason means that it is up to date. */
export async function judge(
  project: Project,
  state: State,
  now: Environment,
  notebook: GraphNotebook,
): Promise<Verdict> {
  const parameters = parametersOf(project, notebook);
  const fingerprint: Fingerprint = {
    code: sha256Of(codeOf(notebook)),
    parameters: fingerprintOf(parameters, project.mask),
    artifacts: await artifactChecksums(project, notebook),
    data: await dataChecksums(Object.values(recorded(parameters, project.mask)).map(({ value }) => value)),
    ...now,
  };
  const before = state.notebooks[notebook.name];
  if (!before) return { reasons: ["it has not run yet"], parameters, fingerprint };
  const reasons = differences(before.fingerprint, fingerprint);
  if (reasons.length === 0) {
    for (const [path, sha256] of Object.entries(before.outputs)) {
      const file = join(project.outputs, path);
      if (!existsSync(file)) reasons.push(`its output ${path} is missing`);
      else if ((await checksumOf(file)) !== sha256) reasons.push(`its output ${path} was changed by hand`);
    }
  }
  return { reasons, parameters, fingerprint };
}

/**
 * @throws UserError in one line that names an artifact which is not there and the notebook that makes it
 */
export function requireArtifacts(project: Project, notebook: GraphNotebook): void {
  for (const artifact of notebook.needs) {
    if (existsSync(join(project.outputs, "artifacts", artifact))) continue;
    const maker = makerOf(project.graph, artifact)?.name ?? "no notebook";
    throw new UserError(
      `${notebook.name} needs ${project.outputsParameter}/artifacts/${artifact}, which is missing: ${maker} makes it; run ${maker} first (--only ${maker}) or leave --only out`,
    );
  }
}

function codeOf(notebook: GraphNotebook): string {
  const cells = readNotebook(notebook.path).cells.filter(({ cell_type }) => cell_type === "code");
  return JSON.stringify(cells.map(({ source, metadata }) => [source, metadata.tags ?? []]));
}

async function artifactChecksums(
  project: Project,
  notebook: GraphNotebook,
): Promise<Record<string, string | null>> {
  const checksums: Record<string, string | null> = {};
  for (const artifact of notebook.needs) {
    const path = join(project.outputs, "artifacts", artifact);
    checksums[artifact] = existsSync(path) ? await checksumOf(path) : null;
  }
  return checksums;
}
