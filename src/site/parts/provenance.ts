import type { Machine } from "../../pipeline/machine.js";
import type { ManifestNotebook } from "../../pipeline/manifest.js";
import { duration } from "../../present/format.js";
import { escape as escapeHtml } from "html-escaper";
import { address } from "../html/escape.js";
import type { RunNotebook } from "../exhibits.js";
import type { Run } from "../run.js";
import { memorySize } from "@alignscope/base/size";

type Entry = [name: string, value: string];

/** Where the numbers of a page come from: of one notebook, or of the whole run. */
export function provenance({ manifest, notebooks }: Run, of?: RunNotebook): string {
  const records = of ? [of.record] : notebooks.map(({ record }) => record);
  const machines = records.flatMap(({ madeBy }) => madeBy ?? []);
  const entries: Entry[] = [
    ["commit", list(machines.map(commitOf)) || commitText(manifest.git)],
    [
      "version",
      `alignscope ${manifest.alignscope}, Node.js ${list(machines.map(({ node }) => node)) || manifest.node}, ${manifest.platform}`,
    ],
    ["kernel", list(machines.map(({ kernel }) => kernel)) || manifest.kernel],
    ["backend", list(machines.map(backendOf))],
    ["model", list(machines.map(({ model }) => model && `${model.name}, sha256 ${short(model.sha256)}`))],
    ["most memory", mostMemory(machines)],
    ["seeds", seedsOf(records)],
    ["computed in", duration(records.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0) * 1000)],
    ["on", list(records.map(({ startedAt }) => startedAt?.slice(0, 10)))],
    ...dataOf(records),
  ];
  const parameters = of ? parametersOf(of.record) : [];
  const notebook = of
    ? `; <a href="${address("notebooks", `${of.name}.ipynb`)}" download>the notebook</a>`
    : "";
  return `<footer id="provenance"><h2>Where this comes from</h2>\n${definitions(entries)}
${parameters.length > 0 ? `<details><summary>Parameters</summary>${definitions(parameters)}</details>\n` : ""}<p><a href="manifest.json">manifest.json</a> has every parameter, checksum and time${notebook}.</p></footer>`;
}

function definitions(entries: readonly Entry[]): string {
  const rows = entries
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<dl>\n${rows.join("\n")}\n</dl>`;
}

/** Different values once each, in order; a series is seldom computed in more than one way. */
function list(values: readonly (string | null | undefined)[]): string {
  return [...new Set(values.filter((value) => value))].join("; ");
}

function commitOf({ git }: Machine): string {
  return commitText(git);
}

function commitText({ commit, dirty }: Machine["git"]): string {
  return commit ? `${commit.slice(0, 12)}${dirty ? " with uncommitted changes" : ""}` : "unknown";
}

function backendOf({ backend, device, driver, blas, threads }: Machine): string {
  if (backend === null) return "";
  return [backend, device, driver && `driver ${driver}`, blas, threads && `${threads} threads`]
    .filter(Boolean)
    .join(", ");
}

function mostMemory(machines: readonly Machine[]): string {
  const bytes = Math.max(0, ...machines.map(({ peakBytes }) => peakBytes));
  return bytes > 0 ? memorySize(bytes) : "";
}

function seedsOf(records: readonly ManifestNotebook[]): string {
  const seeds = records.flatMap(({ seeds = {} }) => Object.entries(seeds));
  return list(seeds.map(([name, value]) => `${name} ${JSON.stringify(value)}`));
}

function dataOf(records: readonly ManifestNotebook[]): Entry[] {
  const data = new Map(records.flatMap(({ inputs }) => Object.entries(inputs?.data ?? {})));
  return [...data].map(([name, sha256]) => [name, `sha256 ${short(sha256)}`]);
}

function short(sha256: string): string {
  return `${sha256.slice(0, 16)}…`;
}

function parametersOf({ parameters = {} }: ManifestNotebook): Entry[] {
  return Object.entries(parameters)
    .filter(([, { source }]) => source !== "run")
    .map(([name, { value, source }]) => [name, `${JSON.stringify(value) ?? "computed"} (${source})`]);
}
