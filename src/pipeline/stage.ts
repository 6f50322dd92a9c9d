import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { checksumOf } from "../data/checksum";
import { UserError } from "../data/errors";
import { writeFileAtomic } from "../data/files";
import type { GraphNotebook } from "./graph";
import type { Project } from "./project";
import { filesBelow } from "./provenance";

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
  const folder = join(project.outputs, ".staging", notebook.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "notebooks"), { recursive: true });
  mkdirSync(join(folder, "artifacts"), { recursive: true });
  for (const artifact of notebook.needs) {
    const from = join(project.outputs, "artifacts", artifact);
    const to = join(folder, "artifacts", artifact);
    mkdirSync(dirname(to), { recursive: true });
    try {
      linkSync(from, to); // no copy of what may be large; everybody writes aside and renames, so the link is safe
    } catch {
      copyFileSync(from, to);
    }
  }
  return {
    folder,
    parameter: `${project.outputsParameter}/.staging/${notebook.name}`,
    notebook: join(folder, "notebooks", `${notebook.name}.ipynb`),
  };
}

/**
 * Moves what the notebook left to the output folder and removes what its previous run had left besides.
 *
 * @param previous paths of the previous run's outputs, below the output folder
 * @returns sha256 of each moved file by its path below the output folder
 * @throws UserError when an artifact that the graph promises was not written; nothing is moved then
 */
export async function publish(
  project: Project,
  notebook: GraphNotebook,
  stage: Stage,
  previous: readonly string[],
): Promise<Record<string, string>> {
  const promised = notebook.makes.find((artifact) => !existsSync(join(stage.folder, "artifacts", artifact)));
  if (promised !== undefined) {
    throw new UserError(`${notebook.name} ran through but did not write its artifact ${promised}`);
  }
  nameFinalPlace(project, stage);
  const needed = new Set(notebook.needs.map((artifact) => join(stage.folder, "artifacts", artifact)));
  const outputs: Record<string, string> = {};
  for (const file of filesBelow(stage.folder)) {
    if (needed.has(file)) continue;
    const path = relative(stage.folder, file).split(sep).join("/");
    outputs[path] = await checksumOf(file);
    mkdirSync(dirname(join(project.outputs, path)), { recursive: true });
    renameSync(file, join(project.outputs, path));
  }
  for (const path of previous) {
    if (!(path in outputs)) rmSync(join(project.outputs, path), { force: true });
  }
  rmSync(failedCopy(project, notebook), { force: true });
  closeStage(project, stage);
  return outputs;
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
  closeStage(project, stage);
  return written ? kept : null;
}

function closeStage(project: Project, stage: Stage): void {
  rmSync(stage.folder, { recursive: true, force: true });
  try {
    rmdirSync(join(project.outputs, ".staging"));
  } catch {
    // Another notebook has its stage there.
  }
}

function failedCopy(project: Project, notebook: GraphNotebook): string {
  return join(project.outputs, "notebooks", `${notebook.name}.failed.ipynb`);
}

/** Paths that the executed notebook speaks of become those where the files come to lie. */
function nameFinalPlace(project: Project, stage: Stage): void {
  const text = readFileSync(stage.notebook, "utf8");
  const inJson = (path: string): string => JSON.stringify(path).slice(1, -1);
  writeFileAtomic(
    stage.notebook,
    text
      .replaceAll(inJson(stage.folder), inJson(project.outputs))
      .replaceAll(inJson(stage.parameter), inJson(project.outputsParameter)),
  );
}
