import { readFileSync } from "node:fs";
import { blocksOf } from "./documents.js";
import { notebookOf, type Sandbox } from "./sandbox.js";

export const EXTENDING = "docs/extending.md";

/** A block that exports something is a module; the others are the cells of one notebook. */
export const isModule = (block: string): boolean => /^export /m.test(block);

/** Adds what docs/extending.md adds: its notebook, the notebook's place in the series, and its claim. */
export function installExample(sandbox: Sandbox): void {
  const cells = blocksOf(EXTENDING, "ts").filter((block) => !isModule(block));
  sandbox.write("notebooks/E-lengths.ipynb", notebookOf(cells));

  const [entry = ""] = blocksOf(EXTENDING, "yaml");
  const indent = entry.startsWith(" ") ? "" : "  ";
  const series = readFileSync(sandbox.path("notebooks/pipeline.yaml"), "utf8");
  sandbox.write("notebooks/pipeline.yaml", `${series.trimEnd()}\n${entry.replace(/^(?=.)/gm, indent)}`);

  const [claim = ""] = blocksOf(EXTENDING, "json");
  const claims = JSON.parse(readFileSync(sandbox.path("data/paper/claims.json"), "utf8")) as unknown[];
  sandbox.write("data/paper/claims.json", JSON.stringify([...claims, JSON.parse(claim)]));
}
