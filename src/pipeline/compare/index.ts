import { join } from "node:path";
import type { Json } from "jupyter-wire";
import { type Manifest, readManifest } from "../manifest.js";
import { filesBelow } from "../provenance.js";
import { compareCsv, type DataDifference, type Tolerance } from "./data.js";

export type { DataDifference } from "./data.js";

/** numpy's own: float32 sums in another order differ less, a changed result more. */
const DEFAULT_RTOL = 1e-5;
const DEFAULT_ATOL = 1e-8;

export type CompareOptions = Partial<Tolerance>;

/** Something of two manifests that differs, each side as text. */
export interface SettingDifference {
  name: string;
  a: string;
  b: string;
  /** Notebooks it differs in; empty for what is the run's. */
  notebooks: string[];
}

/** How two runs differ. */
export interface RunDifference {
  a: { outputs: string; profile: string };
  b: { outputs: string; profile: string };
  tolerance: Tolerance;
  /** Whether all data are equal within the tolerance; what else differs does not count. */
  equal: boolean;
  /** Data files with a difference, tables and figures, by path below the folder. */
  data: ({ path: string } & DataDifference)[];
  /** Data files that only one of the two has. */
  onlyA: string[];
  onlyB: string[];
  /** Data files and values that were compared. */
  files: number;
  values: number;
  parameters: SettingDifference[];
  environment: SettingDifference[];
}

/**
 * Compares what two runs have found: the data of every table and figure, and what parameters and environment they had.
 *
 * @param a folder of a run
 * @param b folder of another
 * @throws UserError where one of them has no manifest
 */
export function compareRuns(
  a: string,
  b: string,
  { rtol = DEFAULT_RTOL, atol = DEFAULT_ATOL }: CompareOptions = {},
): RunDifference {
  const [manifestA, manifestB] = [readManifest(a), readManifest(b)];
  const tolerance = { rtol, atol };
  const [filesA, filesB] = [dataFiles(a), dataFiles(b)];
  const compared = filesA
    .filter((path) => filesB.includes(path))
    .map((path) => ({
      path,
      ...compareCsv(join(a, path), join(b, path), tolerance),
    }));
  const data = compared.filter(differs);
  const onlyA = filesA.filter((path) => !filesB.includes(path));
  const onlyB = filesB.filter((path) => !filesA.includes(path));
  return {
    a: { outputs: a, profile: manifestA.profile },
    b: { outputs: b, profile: manifestB.profile },
    tolerance,
    equal: data.length + onlyA.length + onlyB.length === 0,
    data,
    onlyA,
    onlyB,
    files: compared.length,
    values: compared.reduce((sum, one) => sum + one.compared, 0),
    parameters: compareByNotebook(manifestA, manifestB, parametersOf),
    environment: [
      ...compareRunSettings(manifestA, manifestB),
      ...compareByNotebook(manifestA, manifestB, machineOf),
    ],
  };
}

function differs({ moved, added, missing, addedColumns, missingColumns }: DataDifference): boolean {
  return [moved, added, missing, addedColumns, missingColumns].some((list) => list.length > 0);
}

function dataFiles(outputs: string): string[] {
  return ["tables", "figures"].flatMap((folder) =>
    filesBelow(join(outputs, folder))
      .filter((path) => path.endsWith(".csv"))
      .map((path) => `${folder}/${path.slice(join(outputs, folder).length + 1)}`),
  );
}

type Notebook = Manifest["notebooks"][number];

function parametersOf({ parameters = {} }: Notebook): Record<string, Json | undefined> {
  return Object.fromEntries(
    Object.entries(parameters)
      .filter(([, { source }]) => source !== "run")
      .map(([name, { value }]) => [name, value]),
  );
}

function machineOf({ madeBy, inputs }: Notebook): Record<string, Json | undefined> {
  const data = Object.entries(inputs?.data ?? {}).map(([name, sha256]) => [`data ${name}`, sha256]);
  const { node, platform, kernel, backend, device, driver, blas, threads } = madeBy ?? {};
  const { model, git } = madeBy ?? {};
  const commit = git?.commit ? `${git.commit.slice(0, 12)}${git.dirty ? " with changes" : ""}` : undefined;
  const words = { node, platform, kernel, backend, device, driver, blas, threads, commit };
  return { ...words, model: model?.sha256, ...(Object.fromEntries(data) as Record<string, string>) };
}

/** What differs in the notebooks that both have run, the same difference named once with all its notebooks. */
function compareByNotebook(
  a: Manifest,
  b: Manifest,
  settings: (notebook: Notebook) => Record<string, Json | undefined>,
): SettingDifference[] {
  const found: SettingDifference[] = [];
  for (const one of a.notebooks) {
    const other = b.notebooks.find(({ name }) => name === one.name);
    if (!one.outputs || !other?.outputs) continue;
    const [first, second] = [settings(one), settings(other)];
    for (const name of new Set([...Object.keys(first), ...Object.keys(second)])) {
      const difference = { name, a: inWords(first[name]), b: inWords(second[name]) };
      if (difference.a === difference.b) continue;
      const same = found.find(
        (each) => each.name === name && each.a === difference.a && each.b === difference.b,
      );
      if (same) same.notebooks.push(one.name);
      else found.push({ ...difference, notebooks: [one.name] });
    }
  }
  return found;
}

function compareRunSettings(a: Manifest, b: Manifest): SettingDifference[] {
  const settings = ({ alignscope, environment, lockfile }: Manifest): Record<string, Json | undefined> => ({
    alignscope,
    library: environment?.library,
    "package-lock.json": lockfile ?? environment?.packages,
    "kernel files": environment?.kernel,
  });
  const [first, second] = [settings(a), settings(b)];
  return Object.keys(first)
    .map((name) => ({ name, a: inWords(first[name]), b: inWords(second[name]), notebooks: [] }))
    .filter((difference) => difference.a !== difference.b);
}

function inWords(value: Json | undefined): string {
  if (value === undefined || value === null) return "nothing";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 16)}…` : text;
}
