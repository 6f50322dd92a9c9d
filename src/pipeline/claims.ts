import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UserError } from "@alignscope/base/errors";
import { writeJsonAtomic } from "@alignscope/base/files";
import { type ClaimsFile, mergeClaims, type NotebookClaims, type RunClaim } from "../present/claims/index.js";
import type { Project } from "./project.js";
import type { NotebookResult } from "./failure.js";
import type { State } from "./state.js";

/** `claims.json` of an output folder: what its notebooks find of the paper's claims, put together. */
export interface RunClaims {
  profile: string;
  /** All 22, in order. */
  claims: RunClaim[];
}

const FILE = "claims.json";

/**
 * Puts together what the notebooks of the series have left in `claims/`, each file with the notebook that wrote it. What
 * a notebook left that has gone from the series does not count. Without any there is no `claims.json`.
 *
 * @param results of this run: a notebook that failed or did not run speaks of an earlier one
 */
export function writeClaims(
  project: Project,
  state: State,
  results: ReadonlyMap<string, NotebookResult>,
): void {
  const path = join(project.outputs, FILE);
  const said = claimsFilesOf(
    project.outputs,
    project.graph.notebooks.map(({ name }) => {
      const earlier = ofAnEarlierRun(results.get(name));
      const outputs = state.notebooks[name]?.outputs ?? {};
      return { name, outputs, ...(earlier === undefined ? {} : { earlier }) };
    }),
  );
  if (said.length === 0) {
    rmSync(path, { force: true });
    return;
  }
  writeJsonAtomic(path, { profile: project.profile.name, claims: mergeClaims(said) } satisfies RunClaims);
}

/** What some notebooks have left in `claims/`, in their order. */
export function claimsFilesOf(
  outputs: string,
  notebooks: readonly { name: string; outputs: Record<string, string>; earlier?: string }[],
): NotebookClaims[] {
  return notebooks.flatMap(({ name, outputs: files, earlier }) =>
    Object.keys(files)
      .filter((file) => /^claims\/[\w.]+\.json$/.test(file))
      .flatMap((file) => readClaimsFile(join(outputs, file)) ?? [])
      .map((file) => ({ ...file, notebook: name, ...(earlier === undefined ? {} : { earlier }) })),
  );
}

function ofAnEarlierRun(result: NotebookResult | undefined): string | undefined {
  if (result?.result === "failed") return "the last run failed";
  return result?.result === "not run" ? `it did not run again: ${result.because}` : undefined;
}

/** Undefined for a file that is gone or is not one of ours: its claims then count as not run. */
function readClaimsFile(path: string): ClaimsFile | undefined {
  try {
    const file = JSON.parse(readFileSync(path, "utf8")) as Partial<ClaimsFile>;
    const fits =
      typeof file.part === "string" &&
      Array.isArray(file.claims) &&
      file.claims.every((claim) => typeof claim?.id === "string" && Array.isArray(claim.measures));
    return fits ? (file as ClaimsFile) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a run's folder has verdicts on the paper's claims. */
export function hasClaims(outputs: string): boolean {
  return existsSync(join(outputs, FILE));
}

/**
 * The verdicts of a run, by its folder.
 *
 * @throws UserError in one line where there are none
 */
export function readClaims(outputs: string): RunClaims {
  const path = join(outputs, FILE);
  if (!existsSync(path)) {
    const missing = existsSync(outputs) ? `no claims in ${outputs}` : `no such folder: ${outputs}`;
    throw new UserError(`${missing} (expected a run's ${FILE}): run \`alignscope reproduce\` first`);
  }
  let read: Partial<RunClaims> | null;
  try {
    read = JSON.parse(readFileSync(path, "utf8")) as Partial<RunClaims> | null;
  } catch (error) {
    throw new UserError(`unreadable ${path} (${messageOf(error)}): run \`alignscope reproduce\` again`);
  }
  if (typeof read?.profile !== "string" || !Array.isArray(read.claims)) {
    throw new UserError(`${path} does not hold a run's claims: run \`alignscope reproduce\` again`);
  }
  return read as RunClaims;
}
