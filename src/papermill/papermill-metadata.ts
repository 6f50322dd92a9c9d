import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "@alignscope/base/paths";
import type { Cell, Json, Notebook } from "jupyter-wire";
import type { CellStatus, Parameters, ParameterValue } from "./options.js";

/** Cell times as papermill writes them: ISO 8601 in UTC, durations in seconds. */
interface Times {
  start_time: string | null;
  end_time: string | null;
  duration: number | null;
}

/** `metadata.papermill` of a cell. `exception`: null before it ran, false once it started, true when it raised. */
export interface CellRecord extends Times {
  exception: boolean | null;
  status: CellStatus;
  [key: string]: Json | undefined;
}

/** `metadata.papermill` of a notebook. `exception`: null while all is well, true after a failure. */
export interface NotebookRecord extends Times {
  exception: boolean | null;
  default_parameters: Record<string, Json>;
  parameters: Record<string, Json>;
  environment_variables: Record<string, Json>;
  version: string;
  input_path: string | null;
  output_path: string | null;
  [key: string]: Json | undefined;
}

/** Puts papermill's keys into a notebook that was read, as a run or `--prepare-only` finds them at its start. */
export function describeNotebook(
  notebook: Notebook,
  inputPath: string | null,
  outputPath: string | null,
): void {
  const old = (notebook.metadata["papermill"] ?? {}) as Record<string, Json | undefined>;
  notebook.metadata["papermill"] = {
    ...old,
    default_parameters: old["default_parameters"] ?? {},
    parameters: old["parameters"] ?? {},
    environment_variables: old["environment_variables"] ?? {},
    version: ownVersion(),
    input_path: inputPath,
    output_path: outputPath,
  };
  for (const cell of notebook.cells) {
    cell.metadata.tags ??= [];
    cell.metadata["papermill"] ??= {};
  }
}

/** The record of a described notebook, to be filled in. */
export function notebookRecord(notebook: Notebook): NotebookRecord {
  return notebook.metadata["papermill"] as NotebookRecord;
}

/** The record of a cell of a started notebook, to be filled in. */
export function cellRecord(cell: Cell): CellRecord {
  return cell.metadata["papermill"] as CellRecord;
}

/** Everything is pending, nothing has been said: old outputs and old times go. */
export function startNotebook(notebook: Notebook): void {
  const blank = { start_time: null, end_time: null, duration: null, exception: null };
  Object.assign(notebookRecord(notebook), blank, { start_time: now() });
  for (const cell of notebook.cells) {
    cell.metadata["papermill"] = { ...blank, status: "pending" };
    if (cell.cell_type !== "code") continue;
    cell.outputs = [];
    cell.execution_count = null;
    delete cell.metadata["execution"];
    delete cell.metadata["papermill-ts"];
  }
}

export function startCell(cell: Cell): void {
  Object.assign(cellRecord(cell), { start_time: now(), exception: false, status: "running" });
}

/** Returns the cell's duration in seconds. */
export function finishCell(cell: Cell, status: CellStatus, exception: boolean): number {
  const record = cellRecord(cell);
  Object.assign(record, { status, exception });
  return finish(record);
}

/** Returns the notebook's duration in seconds. */
export function finishNotebook(notebook: Notebook, failed: boolean): number {
  const record = notebookRecord(notebook);
  if (failed) record.exception = true;
  return finish(record);
}

function finish(record: Times): number {
  record.end_time = now();
  const began = record.start_time === null ? Date.now() : Date.parse(record.start_time);
  record.duration = (Date.parse(record.end_time) - began) / 1000;
  return record.duration;
}

/** Milliseconds are all that JavaScript's clock tells; papermill's form has six digits. */
function now(): string {
  return new Date().toISOString().replace(/Z$/, "000+00:00");
}

/** Parameters as JSON can hold them: NaN, infinities and integers beyond 2^53 as text, `undefined` as null. */
export function jsonParameters(parameters: Parameters): Record<string, Json> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, asJson(value)]));
}

function asJson(value: ParameterValue): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) return (value as readonly ParameterValue[]).map(asJson);
  return jsonParameters(value as Parameters);
}

/** The version of this package, which is papermill-ts's. */
export function ownVersion(): string {
  const manifest = JSON.parse(
    readFileSync(join(packageFolder(import.meta.dirname), "package.json"), "utf8"),
  ) as {
    version: string;
  };
  return manifest.version;
}
