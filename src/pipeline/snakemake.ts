import { relative, sep } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { projectRoot } from "@alignscope/base/paths";
import { isSecret } from "papermill-ts";
import { expected } from "./expected.js";
import { usesGpu } from "./gpu.js";
import { type GraphNotebook, makerOf } from "./graph.js";
import { parametersOf } from "./plan.js";
import type { Project, ProjectOptions } from "./project.js";
import { recorded } from "./recorded.js";
import { readState } from "./state.js";

export interface SnakemakeOptions {
  /** As the project was opened with: what its commands are given. */
  project: ProjectOptions;
  /** Parameters with several values each: every combination is a run in a folder of its own. */
  sweep?: Readonly<Record<string, readonly string[]>>;
  /** Parts in which preference pairs are made, side by side; 1 leaves them to their notebook. */
  shards?: number;
}

/** Threads and memory that the kernel, the compiler in it and the library take besides the model. */
const THREADS = 2;
const BASE_MIB = 1500;
/** What a step may take of which no run has told how long it takes. */
const UNKNOWN_MINUTES = 24 * 60;
/** The artifact that can be made in parts. */
const PAIRS = "pairs.jsonl";

/**
 * The series as a workflow for Snakemake 7: a rule for each notebook, the GPU as a resource, threads, the profile's memory,
 * minutes from earlier runs or the profile, and a last rule that writes manifest and pages.
 *
 * @throws UserError for a sweep over a parameter that no notebook declares, or shards where no pairs are made
 */
export function snakefile(
  project: Project,
  { project: given, sweep = {}, shards = 1 }: SnakemakeOptions,
): string {
  const declared = new Set([...project.declared.values()].flat().map(({ name }) => name));
  for (const name of Object.keys(sweep)) {
    if (declared.has(name) && name !== "outputs" && name !== "profile") continue;
    throw new UserError(`cannot sweep over ${name}: no notebook declares such a parameter`);
  }
  const pairs = makerOf(project.graph, PAIRS);
  refuseSecrets(project);
  if (shards > 1) refuseShards(project, pairs, shards);
  const context = contextOf(project, given, sweep, shards);
  const rules = project.graph.notebooks.map((notebook) => notebookRule(project, notebook, context, shards));
  const parts = [header(project, context, { sweep, shards }), ...rules];
  if (shards > 1 && pairs) parts.push(...shardRules(project, pairs, context, shards));
  parts.push(finishRule(project, context));
  return `${parts.join("\n\n")}\n`;
}

/** A workflow is a file, with the command line of each step in it. */
function refuseSecrets({ given, mask }: Project): void {
  const name = Object.keys(given).find((each) => isSecret(each, given[each], mask));
  if (name === undefined) return;
  throw new UserError(
    `-p ${name}: the workflow would show the value, which is masked: let the notebook read it from the environment, ` +
      "or say --no-mask-parameters",
  );
}

/** Pairs are computed some at a time, and what is computed together stays together: that is the most parts there can be. */
function refuseShards(project: Project, notebook: GraphNotebook | undefined, shards: number): void {
  const parameters = notebook && parametersOf(project, notebook);
  if (parameters?.["pairs"]?.value !== "make") {
    throw new UserError(
      "--shards: no notebook of this series makes pairs with these parameters (pairs: make)",
    );
  }
  const [count, batch] = ["pairCount", "pairBatch"].map((name) => Number(parameters[name]?.value));
  const most = Math.ceil((count ?? NaN) / (batch ?? NaN));
  if (shards > most) {
    throw new UserError(
      `--shards: got ${shards}, but ${String(count)} pairs made ${String(batch)} at a time are ${most} parts at most: ` +
        "ask for fewer, or set a smaller -p pairBatch",
    );
  }
}

interface Context {
  /** The output folder, with a wildcard for each parameter of a sweep. */
  outputs: string;
  /** What `alignscope` is told after the command. */
  flags: string;
  wildcards: string[];
}

function contextOf(
  project: Project,
  given: ProjectOptions,
  sweep: Readonly<Record<string, readonly string[]>>,
  shards: number,
): Context {
  const wildcards = Object.keys(sweep);
  const below = wildcards.map((name) => `${name}={${name}}`).join(",");
  const outputs = below === "" ? project.outputsParameter : `${project.outputsParameter}/${below}`;
  const flags = [
    `--profile ${quote(project.profile.name)}`,
    `--outputs ${inShell(outputs)}`,
    ...maskFlags(project.mask),
    ...(given.pipeline === undefined ? [] : [`--pipeline ${quote(given.pipeline)}`]),
    ...Object.entries(given.parameters ?? {})
      .filter(([name]) => !wildcards.includes(name))
      .map(([name, value]) => `-p ${name} ${braces(quote(value))}`),
    ...wildcards.map((name) => `-p ${name} {wildcards.${name}:q}`),
    // All rules are told the same, the last one too: otherwise it would find the notebook out of date.
    ...(shards > 1 ? [`-p pairsBegun ${inShell(pairsFile(outputs))}`] : []),
  ];
  return { outputs, flags: flags.join(" "), wildcards };
}

function maskFlags(mask: Project["mask"]): string[] {
  if (mask === false) return ["--no-mask-parameters"];
  return mask.map((pattern) => `--mask-parameters ${braces(quote(pattern))}`);
}

function header(
  project: Project,
  { outputs, wildcards }: Context,
  { sweep = {}, shards = 1 }: Pick<SnakemakeOptions, "sweep" | "shards">,
): string {
  const lists = wildcards.map((name) => `${name}=${JSON.stringify(sweep[name])}`);
  const manifest = JSON.stringify(`${outputs}/manifest.json`);
  const targets = lists.length === 0 ? manifest : `expand(${[manifest, ...lists].join(", ")})`;
  const patterns = [
    ...wildcards.map((name) => `    ${name}="[^/,]+",`),
    ...(shards > 1 ? [`    shard=r"\\d+",`] : []),
  ];
  const constraints = patterns.length === 0 ? "" : `\n\nwildcard_constraints:\n${patterns.join("\n")}`;
  return `# ${project.graph.title.replace(/\n/g, " ")}: profile ${project.profile.name}.
# Written by \`alignscope plan --export snakemake\`. Run it in the project's root: snakemake --cores 4 --resources gpu=1

# What runs a step: another command with --config alignscope="node /where/it/is/src/cli/bin/alignscope.mjs".
ALIGNSCOPE = config.get("alignscope", "npx alignscope")${constraints}


rule all:
    input:
        ${targets},`;
}

function notebookRule(project: Project, notebook: GraphNotebook, context: Context, shards: number): string {
  const sharded = shards > 1 && notebook.makes.includes(PAIRS);
  const inputs = [
    fromRoot(notebook.path),
    ...notebook.needs.map((artifact) => `${context.outputs}/artifacts/${artifact}`),
    ...(sharded ? [pairsFile(context.outputs)] : []),
  ];
  const outputs = [
    `${context.outputs}/notebooks/${notebook.name}.ipynb`,
    ...notebook.makes.map((artifact) => `${context.outputs}/artifacts/${artifact}`),
  ];
  return rule({
    name: ruleName(notebook.name),
    inputs,
    outputs,
    resources: resourcesOf(project, notebook),
    shell: `{ALIGNSCOPE} run-notebook ${quote(notebook.name)} --wait ${context.flags}`,
  });
}

/** PPLM's pairs in parts side by side, and what puts them together. */
function shardRules(project: Project, notebook: GraphNotebook, context: Context, shards: number): string[] {
  const part = `${context.outputs}/pairs/pairs.shard-{shard}-of-${shards}.jsonl`;
  const probe = `${context.outputs}/artifacts/probe.json`;
  const file = inShell(pairsFile(context.outputs));
  const maker = makerOf(project.graph, "probe.json");
  if (!maker) throw new UserError("--shards: no notebook of this series makes probe.json, which PPLM needs");
  return [
    rule({
      name: "pairs_shard",
      inputs: [probe],
      outputs: [part],
      resources: resourcesOf(project, notebook, shards),
      shell: `{ALIGNSCOPE} pairs part {wildcards.shard}/${shards} ${context.flags}`,
    }),
    rule({
      name: "pairs_merge",
      inputs: Array.from({ length: shards }, (_, i) => part.replace("{shard}", String(i + 1))),
      outputs: [pairsFile(context.outputs)],
      resources: { threads: 1, mem_mb: 500, runtime: 10 },
      shell: `{ALIGNSCOPE} pairs merge ${file} --of ${shards}`,
    }),
  ];
}

/** Where pairs that were made in parts are put together; each part lies beside it. */
function pairsFile(outputs: string): string {
  return `${outputs}/pairs/pairs.jsonl`;
}

/** A path with wildcards, as a rule's command names it. */
function inShell(path: string): string {
  return quote(path).replace(/\{(\w+)\}/g, "{wildcards.$1}");
}

function finishRule(project: Project, context: Context): string {
  return rule({
    name: "finish",
    inputs: project.graph.notebooks.map(({ name }) => `${context.outputs}/notebooks/${name}.ipynb`),
    outputs: [`${context.outputs}/manifest.json`],
    resources: { threads: 1, mem_mb: BASE_MIB, runtime: 30 },
    // Finds all up to date; what it leaves is the same as if it had run everything.
    shell: `{ALIGNSCOPE} reproduce ${context.flags}`,
  });
}

interface Resources {
  threads: number;
  mem_mb: number;
  /** Minutes. */
  runtime: number;
  gpu?: number;
}

function resourcesOf(project: Project, notebook: GraphNotebook, parts = 1): Resources {
  const parameters = recorded(parametersOf(project, notebook), project.mask);
  const gpu = usesGpu(parameters, false);
  const lastSeconds = readState(project.outputs).notebooks[notebook.name]?.seconds;
  const { seconds } = expected(project, notebook, lastSeconds);
  return {
    threads: THREADS,
    mem_mb: BASE_MIB + Math.ceil((project.profile.memory?.bytes ?? 0) / 2 ** 20),
    // Thrice what it took elsewhere or last, and never under half an hour; a day where nobody knows.
    runtime: seconds === null ? UNKNOWN_MINUTES : Math.max(30, Math.ceil((3 * seconds) / parts / 60)),
    ...(gpu ? { gpu: 1 } : {}),
  };
}

function rule(options: {
  name: string;
  inputs: string[];
  outputs: string[];
  resources: Resources;
  shell: string;
}): string {
  const { name, inputs, outputs, resources, shell } = options;
  const { threads, ...others } = resources;
  const lines = (paths: string[]): string =>
    paths.map((path) => `        ${JSON.stringify(path)},`).join("\n");
  return `
rule ${name}:
    input:
${lines(inputs)}
    output:
${lines(outputs)}
    threads: ${threads}
    resources:
${Object.entries(others)
  .map(([key, amount]) => `        ${key}=${amount},`)
  .join("\n")}
    shell:
        ${JSON.stringify(shell)}`;
}

/** A notebook as a name in Python. */
function ruleName(notebook: string): string {
  return `notebook_${notebook.replace(/\W+/g, "_")}`;
}

function fromRoot(path: string): string {
  const below = relative(projectRoot(), path);
  return below.startsWith("..") ? path : below.split(sep).join("/");
}

/** For a POSIX shell. */
function quote(text: string): string {
  return /^[\w./:={},+-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}

/** Braces are Snakemake's own. */
function braces(text: string): string {
  return text.replace(/[{}]/g, "$&$&");
}
