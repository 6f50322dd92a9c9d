import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parse } from "yaml";
import { isArtifactPath } from "../data/artifacts.js";
import { messageOf, UserError } from "@alignscope/base/errors";

/** One notebook of the series and its place among the others. */
export interface GraphNotebook {
  /** The file's name without `.ipynb`. */
  name: string;
  /** As readers see it. */
  title: string;
  path: string;
  /** Artifacts of other notebooks that it reads, by file name. */
  needs: string[];
  /** Artifacts that it writes for others, by file name. */
  makes: string[];
  /** Its rough share of the work, for the time left before anything has been measured. */
  weight: number;
}

/** The series: its notebooks in an order in which each comes after those it needs something of. */
export interface Graph {
  title: string;
  /** The kernelspec that runs the notebooks. */
  kernel: string;
  notebooks: GraphNotebook[];
}

/**
 * Reads `pipeline.yaml`; the notebooks lie beside it.
 *
 * @throws UserError when the file is missing or malformed, when a notebook needs what nobody makes, when two make the
 * same artifact, or when notebooks need each other in a circle
 */
export function loadGraph(path: string): Graph {
  const document = readYamlObject(path);
  const where = basename(path);
  onlyKeys(document, ["title", "kernel", "notebooks"], where);
  const notebooks = Object.entries(asObject(document["notebooks"], `${where}: notebooks`)).map(
    ([name, value]): GraphNotebook => {
      const entry = asObject(value, `${where}: ${name}`);
      onlyKeys(entry, ["title", "needs", "makes", "weight"], `${where}: ${name}`);
      const weight = entry["weight"] ?? 1;
      if (typeof weight !== "number" || !(weight > 0)) {
        throw new UserError(
          `${where}: ${name}: weight is ${JSON.stringify(weight)}, expected a number above 0`,
        );
      }
      const file = join(dirname(path), `${name}.ipynb`);
      if (!existsSync(file))
        throw new UserError(`${where} names the notebook ${name}, but there is no ${file}`);
      return {
        name,
        title: asText(entry["title"], `${where}: ${name}: title`),
        path: file,
        needs: asNames(entry["needs"], `${where}: ${name}: needs`),
        makes: asNames(entry["makes"], `${where}: ${name}: makes`),
        weight,
      };
    },
  );
  if (notebooks.length === 0) throw new UserError(`${where} names no notebook`);
  return {
    title: asText(document["title"], `${where}: title`),
    kernel: asText(document["kernel"], `${where}: kernel`),
    notebooks: inOrder(notebooks, where),
  };
}

/** The notebook that makes `artifact`. */
export function makerOf(graph: Graph, artifact: string): GraphNotebook | undefined {
  return graph.notebooks.find(({ makes }) => makes.includes(artifact));
}

/** The notebooks whose artifacts `notebook` reads itself, in the graph's order. */
export function upstreamOf(graph: Graph, notebook: GraphNotebook): GraphNotebook[] {
  return graph.notebooks.filter(({ makes }) => makes.some((artifact) => notebook.needs.includes(artifact)));
}

/** `notebooks` and every other that reads, directly or not, what they make; in the graph's order. */
export function withFollowers(graph: Graph, notebooks: readonly GraphNotebook[]): GraphNotebook[] {
  const chosen = new Set(notebooks);
  // Each notebook comes after those it needs something of, so that one walk finds them all.
  for (const notebook of graph.notebooks) {
    if (upstreamOf(graph, notebook).some((other) => chosen.has(other))) chosen.add(notebook);
  }
  return graph.notebooks.filter((notebook) => chosen.has(notebook));
}

/**
 * The notebooks that `words` mean, in the graph's order. A word is a name or the beginning of exactly one: `3.3`.
 *
 * @throws UserError for a word that means none or several
 */
export function selectNotebooks(graph: Graph, words: readonly string[]): GraphNotebook[] {
  const names = graph.notebooks.map(({ name }) => name);
  const chosen = new Set(
    words.map((word) => {
      if (names.includes(word)) return word;
      const matches = names.filter((name) => name.startsWith(word) && word !== "");
      if (matches.length > 1) throw new UserError(`${word} could be any of ${matches.join(", ")}: say which`);
      if (!matches[0]) throw new UserError(`unknown notebook: ${word} (expected one of ${names.join(", ")})`);
      return matches[0];
    }),
  );
  return graph.notebooks.filter(({ name }) => chosen.has(name));
}

/** Each notebook after those it needs something of; otherwise as written. */
function inOrder(notebooks: readonly GraphNotebook[], where: string): GraphNotebook[] {
  const makers = new Map<string, GraphNotebook>();
  for (const notebook of notebooks) {
    for (const artifact of notebook.makes) {
      const other = makers.get(artifact);
      if (other) throw new UserError(`${where}: both ${other.name} and ${notebook.name} make ${artifact}`);
      makers.set(artifact, notebook);
    }
  }
  const ordered: GraphNotebook[] = [];
  const open: GraphNotebook[] = [];
  const visit = (notebook: GraphNotebook): void => {
    if (ordered.includes(notebook)) return;
    if (open.includes(notebook)) {
      const circle = [...open.slice(open.indexOf(notebook)), notebook].map(({ name }) => name);
      throw new UserError(`${where}: notebooks need each other in a circle: ${circle.join(" -> ")}`);
    }
    open.push(notebook);
    for (const artifact of notebook.needs) {
      const maker = makers.get(artifact);
      if (!maker)
        throw new UserError(`${where}: ${notebook.name} needs ${artifact}, which no notebook makes`);
      visit(maker);
    }
    open.pop();
    ordered.push(notebook);
  };
  notebooks.forEach(visit);
  return ordered;
}

/** The mapping that a YAML file holds. */
export function readYamlObject(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`);
  }
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new UserError(`${path} is not YAML: ${messageOf(error).split("\n")[0]}`);
  }
  return asObject(value, path);
}

/** `value` as a mapping; nothing at all counts as an empty one. */
export function asObject(value: unknown, where: string): Record<string, unknown> {
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new UserError(`${where}: got ${JSON.stringify(value)}, expected a mapping of names to values`);
  }
  return value as Record<string, unknown>;
}

export function asText(value: unknown, where: string): string {
  if (typeof value !== "string" || value === "") {
    throw new UserError(`${where}: got ${JSON.stringify(value)}, expected text`);
  }
  return value;
}

/** Refuses a misspelt key instead of passing over it. */
export function onlyKeys(value: Record<string, unknown>, known: readonly string[], where: string): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new UserError(`${where}: unknown key ${unknown} (expected ${known.join(", ")})`);
  }
}

function asNames(value: unknown, where: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((name) => typeof name === "string" && isArtifactPath(name))) {
    throw new UserError(`${where}: got ${JSON.stringify(value)}, expected a list of file names`);
  }
  return value as string[];
}
