import { existsSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { hashFile } from "@alignscope/base/checksum";
import { messageOf } from "@alignscope/base/errors";
import { type CodeCell, hasTag, readNotebook } from "jupyter-wire";
import { mergeClaims, type RunClaim } from "../present/claims/index.js";
import { type Row, toCsv } from "../present/rows.js";
import { claimsFilesOf, hasClaims, readClaims } from "./claims.js";
import { type Manifest, readManifest } from "./manifest.js";
import { filesBelow } from "./provenance.js";

/** Something about a run's folder that is not as its manifest says. */
export interface Finding {
  kind: "missing" | "changed" | "extra" | "incomplete" | "inconsistent";
  /** Path below the folder, or the name of a notebook. */
  what: string;
  /** In one line. */
  message: string;
}

export interface Verification {
  outputs: string;
  profile: string;
  /** Files whose checksum was looked at. */
  files: number;
  notebooks: number;
  findings: Finding[];
}

/** Where notebooks leave their files: nothing else belongs there. Pages and the run's own files lie beside. */
const RESULT_FOLDERS = ["artifacts", "claims", "figures", "notebooks", "tables"];

/**
 * Holds a run's folder against its manifest: every file with its sha256 (read now, never remembered), every notebook
 * executed to its end, artifacts read as they were made, tables and claims the same in each form that they have.
 *
 * @throws UserError where there is no manifest
 */
export async function verify(outputs: string): Promise<Verification> {
  const manifest = readManifest(outputs);
  const files = new Map(manifest.notebooks.flatMap(({ outputs: made }) => Object.entries(made ?? {})));
  const findings = [
    ...(await checkFiles(outputs, files)),
    ...extraFiles(outputs, manifest, files),
    ...manifest.notebooks.flatMap((notebook) => checkNotebook(outputs, notebook)),
    ...checkArtifacts(manifest),
    ...[...files.keys()].flatMap((path) => checkTable(outputs, path)),
    ...checkClaims(outputs, manifest),
  ];
  const { profile, notebooks } = manifest;
  return { outputs, profile, files: files.size, notebooks: notebooks.length, findings };
}

async function checkFiles(outputs: string, files: ReadonlyMap<string, string>): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [what, expected] of files) {
    const path = join(outputs, what);
    if (!existsSync(path)) {
      findings.push({ kind: "missing", what, message: "the manifest names it, but it is not there" });
      continue;
    }
    const found = await hashFile(path);
    if (found !== expected) {
      const message = `its sha256 is ${found.slice(0, 16)}…, the manifest says ${expected.slice(0, 16)}…`;
      findings.push({ kind: "changed", what, message });
    }
  }
  return findings;
}

function extraFiles(outputs: string, manifest: Manifest, files: ReadonlyMap<string, string>): Finding[] {
  const failed = new Set(
    manifest.notebooks.filter(({ error }) => error).map(({ name }) => `notebooks/${name}.failed.ipynb`),
  );
  return RESULT_FOLDERS.flatMap((folder) => filesBelow(join(outputs, folder)))
    .map((path) => relative(outputs, path).split(sep).join("/"))
    .filter((path) => !files.has(path) && !failed.has(path))
    .map((what) => ({ kind: "extra", what, message: "no notebook of the manifest left it" }));
}

function checkNotebook(
  outputs: string,
  { name, outputs: made, error }: Manifest["notebooks"][number],
): Finding[] {
  const incomplete = (message: string): Finding => ({ kind: "incomplete", what: name, message });
  const findings = error ? [incomplete(`its last run failed: ${error}`)] : [];
  if (!made) return findings.length > 0 ? findings : [incomplete("it has not run through")];
  const path = join(outputs, "notebooks", `${name}.ipynb`);
  if (!existsSync(path)) return findings; // said already, as a missing file
  try {
    const stopped = readNotebook(path).cells.findIndex(
      (cell) => cell.cell_type === "code" && !ranThrough(cell),
    );
    if (stopped >= 0)
      findings.push(incomplete(`cell ${stopped + 1} of the executed notebook did not run through`));
  } catch (problem) {
    findings.push(incomplete(`the executed notebook cannot be read (${messageOf(problem)})`));
  }
  return findings;
}

function ranThrough(cell: CodeCell): boolean {
  if (cell.source.trim() === "" || hasTag(cell, "skip-execution")) return true;
  const record = cell.metadata["papermill"];
  if (typeof record === "object" && record !== null && !Array.isArray(record) && "status" in record) {
    return record["status"] === "completed";
  }
  return cell.outputs.every(({ output_type }) => output_type !== "error") || hasTag(cell, "raises-exception");
}

/** What a notebook read is what its maker has left, not something older. */
function checkArtifacts({ notebooks }: Manifest): Finding[] {
  return notebooks.flatMap(({ name, inputs }) =>
    Object.entries(inputs?.artifacts ?? {}).flatMap(([artifact, sha256]): Finding[] => {
      const maker = notebooks.find(({ outputs }) => outputs && `artifacts/${artifact}` in outputs);
      if (!maker || maker.outputs?.[`artifacts/${artifact}`] === sha256) return [];
      const message = `it read another artifact ${artifact} than ${maker.name} has left since: run it again`;
      return [{ kind: "inconsistent", what: name, message }];
    }),
  );
}

/** A table's CSV and JSON hold the same rows. */
function checkTable(outputs: string, path: string): Finding[] {
  const [csv, json] = [join(outputs, path), join(outputs, path.replace(/\.csv$/, ".json"))];
  if (!/^tables\/.*\.csv$/.test(path) || !existsSync(csv) || !existsSync(json)) return [];
  const differs = (message: string): Finding[] => [{ kind: "inconsistent", what: path, message }];
  try {
    const { rows } = JSON.parse(readFileSync(json, "utf8")) as { rows?: Row[] };
    if (!rows) return [];
    return rows.length === 0 || toCsv(rows) === readFileSync(csv, "utf8")
      ? []
      : differs("its rows are not those of the JSON file beside it");
  } catch (error) {
    return differs(`the JSON file beside it cannot be read (${messageOf(error)})`);
  }
}

/** The run's claims.json is what its notebooks' own files come to. */
function checkClaims(outputs: string, manifest: Manifest): Finding[] {
  const said = claimsFilesOf(
    outputs,
    manifest.notebooks.map(({ name, outputs: made = {} }) => ({ name, outputs: made })),
  );
  const differs = (message: string): Finding[] => [{ kind: "inconsistent", what: "claims.json", message }];
  if (!hasClaims(outputs))
    return said.length > 0 ? differs("notebooks speak of claims, but it is not there") : [];
  try {
    const run = new Map(readClaims(outputs).claims.map((claim) => [claim.id, essence(claim)]));
    const other = mergeClaims(said).find((claim) => run.get(claim.id) !== essence(claim));
    return other ? differs(`${other.id} is not what the notebooks' own files in claims/ come to`) : [];
  } catch (error) {
    return differs(messageOf(error));
  }
}

function essence({ verdict, measures }: RunClaim): string {
  return JSON.stringify([verdict, measures.map(({ key, value }) => [key, value])]);
}
