import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ARTIFACTS } from "../../src/data/artifacts.js";
import { projectRoot } from "../../src/base/paths.js";
import { registered } from "../../src/data/registry.js";
import { readNotebook } from "../../src/jupyter/index.js";
import { loadGraph, openProject, profileNames } from "../../src/pipeline/index.js";

const notebooks = join(projectRoot(), "notebooks");
const graph = loadGraph(join(notebooks, "pipeline.yaml"));

describe("the series that this project ships", () => {
  it("has four profiles", () => {
    expect(profileNames(join(notebooks, "profiles"))).toEqual(["lab", "lab-full", "gpt2", "paper"]);
  });

  it.each(["lab", "lab-full", "gpt2", "paper"])(
    "sets in the profile %s only parameters that the notebooks declare, to data that the registry knows",
    async (name) => {
      const { profile } = await openProject({ profile: name });
      for (const key of ["model", "prompts", "continuations", "perplexityText", "comments"]) {
        const value = profile.parameters[key];
        expect(typeof value === "string" && registered(value).name, key).toBe(value);
      }
    },
  );

  it("says of every artifact the same maker as the error about a missing one", () => {
    const makers = graph.notebooks.flatMap(({ name, makes }) => makes.map((artifact) => [artifact, name]));
    const named = Object.entries(ARTIFACTS).map(([artifact, { madeBy }]) => [artifact, madeBy]);
    expect(Object.fromEntries(makers)).toEqual(Object.fromEntries(named));
  });

  it.each(graph.notebooks.map(({ name }) => name))(
    "declares profile, model, outputs and backend in %s",
    async (name) => {
      const { declared } = await openProject();
      const names = declared.get(name)?.map((parameter) => parameter.name);
      expect(names).toEqual(expect.arrayContaining(["profile", "model", "outputs", "backend"]));
    },
  );

  it.each(graph.notebooks.map(({ name, path }) => [name, path]))("commits %s without outputs", (_, path) => {
    expect(existsSync(path)).toBe(true);
    for (const cell of readNotebook(path).cells) {
      if (cell.cell_type === "code") expect([cell.outputs, cell.execution_count]).toEqual([[], null]);
    }
  });
});
