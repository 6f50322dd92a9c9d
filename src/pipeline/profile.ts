import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import type { Json } from "jupyter-wire";
import { asObject, asText, onlyKeys, readYamlObject } from "./graph.js";

/** A named set of parameters: which model on which data, how much of it. */
export interface Profile {
  name: string;
  description: string;
  /** What it takes to run: machine and time, for people to read. */
  machine: string;
  parameters: Record<string, Json>;
}

/**
 * Reads `<folder>/<name>.yaml`.
 *
 * @throws UserError for a name without a file (the message lists those that have one) and for a malformed file
 */
export function loadProfile(folder: string, name: string): Profile {
  const path = join(folder, `${name}.yaml`);
  const known = profileNames(folder);
  if (!known.includes(name)) {
    throw new UserError(`unknown profile: ${name} (expected one of ${known.join(", ")})`);
  }
  const document = readYamlObject(path);
  onlyKeys(document, ["description", "machine", "parameters"], path);
  return {
    name,
    description: asText(document["description"], `${path}: description`).trim(),
    machine: asText(document["machine"], `${path}: machine`).trim(),
    parameters: asObject(document["parameters"], `${path}: parameters`) as Record<string, Json>,
  };
}

/** The profiles of a folder, smallest machine first for those this project ships, then by name. */
export function profileNames(folder: string): string[] {
  const shipped = ["lab", "lab-full", "gpt2", "paper"];
  const rank = (name: string): number => (shipped.includes(name) ? shipped.indexOf(name) : shipped.length);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}
