import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { projectRoot } from "@alignscope/base/paths";
import { checksumOf } from "@alignscope/base/checksum";
import { MissingArtifactError } from "./failure.js";
import { linkOrCopy, writeFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
import type { GraphNotebook } from "./graph.js";
import type { Project } from "./project.js";
import { filesBelow } from "./provenance.js";
import { type FinishedNotebook, rememberFinished, type State } from "./state.js";

/** In a stage: what is being published from it. */
const COMMIT = ".commit.json";

/**
 * A folder beside the results in which one notebook runs. It looks like the output folder, holds the artifacts that the
 * notebook needs and no others, and only what a notebook that ran through has left there is moved to its place: what an
 * earlier run made stays whole when a later one fails or is killed.
 */
export interface Stage {
  folder: string;
  /** The folder as the notebook is told of it. */
  parameter: string;
  /** Where the executed notebook is written. */
  notebook: string;
}

/** Makes an empty stage and brings the needed artifacts there. */
export function openStage(project: Project, notebook: GraphNotebook): Stage {
  const folder = stageFolder(project, notebook);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "notebooks"), { recursive: true });
  mkdirSync(join(folder, "artifacts"), { recursive: true });
  for (const artifact of notebook.needs) {
    const from = join(project.outputs, "artifacts", artifact);
    const to = join(folder, "artifacts", artifact);
    linkOrCopy(from, to); // no copy of what may be large; everybody writes aside and renames, so the link is safe
  }
  return {
    folder,
    parameter: `${project.outputsParameter}/.staging/${notebook.name}`,
    notebook: join(folder, "notebooks", `${notebook.name}.ipynb`),
  };
}

/**
 * Looks what the notebook left, for {@link publish}.
 *
 * @returns sha256 of each file by its path below the output folder
 * @throws MissingArtifactError when an artifact that the graph promises was not written
 */
export async function inspectStage(
  project: Project,
  notebook: GraphNotebook,
  stage: Stage,
): Promise<Record<string, string>> {
  const promised = notebook.makes.find((artifact) => !existsSync(join(stage.folder, "artifacts", artifact)));
  if (promised !== undefined) {
    throw new MissingArtifactError(`${notebook.name} ran through but did not write its artifact ${promised}`);
  }
  nameFinalPlace(project, stage);
  const needed = new Set(notebook.needs.map((artifact) => join(stage.folder, "artifacts", artifact)));
  const outputs: Record<string, string> = {};
  for (const file of filesBelow(stage.folder)) {
    if (!needed.has(file))
      outputs[relative(stage.folder, file).split(sep).join("/")] = await checksumOf(file);
  }
  return outputs;
}

/**
 * Moves what the notebook left to the output folder, removes what its previous run had left besides, and remembers it.
 * What is to be moved is written down first: whoever is killed on the way is helped to the end by {@link finishPublishing}.
 */
export function publish(
  project: Project,
  state: State,
  notebook: GraphNotebook,
  finished: FinishedNotebook,
): void {
  const folder = stageFolder(project, notebook);
  writeJsonAtomic(join(folder, COMMIT), finished);
  for (const path of Object.keys(finished.outputs)) {
    mkdirSync(dirname(join(project.outputs, path)), { recursive: true });
    if (existsSync(join(folder, path))) renameSync(join(folder, path), join(project.outputs, path));
  }
  for (const path of Object.keys(state.notebooks[notebook.name]?.outputs ?? {})) {
    if (!(path in finished.outputs)) rmSync(join(project.outputs, path), { force: true });
  }
  rmSync(failedCopy(project, notebook), { force: true });
  rememberFinished(project.outputs, state, notebook.name, finished);
  closeStage(project, folder);
}

/** Brings to its end what a killed run was about to publish, and drops what it had not finished. */
export async function finishPublishing(
  project: Project,
  state: State,
  notebooks: readonly GraphNotebook[],
): Promise<void> {
  for (const notebook of notebooks) {
    const folder = stageFolder(project, notebook);
    if (!existsSync(folder)) continue;
    const finished = readCommit(join(folder, COMMIT));
    if (finished && (await isWhole(project, folder, finished))) publish(project, state, notebook, finished);
    else closeStage(project, folder);
  }
}

/** Removes what killed runs have left beside results: stages of unfinished notebooks are seen to by their commits. */
export function removeRemains(outputs: string): void {
  for (const folder of [outputs, join(outputs, ".state"), join(outputs, "site"), join(outputs, ".locks")]) {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      // Files are written aside as NAME.NUMBER and renamed.
      if (/\.(json|html|lock)\.\d+$/.test(name)) rmSync(join(folder, name), { force: true });
    }
  }
}

/** Every file is there as it was written, in the stage or in its place. */
async function isWhole(project: Project, folder: string, { outputs }: FinishedNotebook): Promise<boolean> {
  for (const [path, sha256] of Object.entries(outputs)) {
    const file = [join(folder, path), join(project.outputs, path)].find((place) => existsSync(place));
    if (file === undefined || (await checksumOf(file)) !== sha256) return false;
  }
  return true;
}

function readCommit(path: string): FinishedNotebook | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as FinishedNotebook;
  } catch {
    return undefined; // It was still running.
  }
}

/** Keeps the failed notebook beside the good one, for reading, and drops the rest. Null if there is none to keep. */
export function keepFailed(project: Project, notebook: GraphNotebook, stage: Stage): string | null {
  const kept = failedCopy(project, notebook);
  const written = existsSync(stage.notebook);
  if (written) {
    nameFinalPlace(project, stage);
    mkdirSync(dirname(kept), { recursive: true });
    renameSync(stage.notebook, kept);
  }
  closeStage(project, stage.folder);
  return written ? kept : null;
}

function closeStage(project: Project, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  try {
    rmdirSync(join(project.outputs, ".staging"));
  } catch {
    // Another notebook has its stage there.
  }
}

function stageFolder(project: Project, notebook: GraphNotebook): string {
  return join(project.outputs, ".staging", notebook.name);
}

function failedCopy(project: Project, notebook: GraphNotebook): string {
  return join(project.outputs, "notebooks", `${notebook.name}.failed.ipynb`);
}

/**
 * Paths that the executed notebook speaks of become those where the files come to lie; below the project they count from
 * its root, for a notebook that is passed on has nothing to say of the machine that ran it.
 */
function nameFinalPlace(project: Project, stage: Stage): void {
  const text = readFileSync(stage.notebook, "utf8");
  const inJson = (path: string): string => JSON.stringify(path).slice(1, -1);
  writeFileAtomic(
    stage.notebook,
    text
      .replaceAll(inJson(stage.folder), inJson(project.outputs))
      .replaceAll(inJson(projectRoot() + sep), "")
      .replaceAll(inJson(stage.parameter), inJson(project.outputsParameter)),
  );
}
