import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { registered } from "../../src/data/registry.js";
import { readNotebook } from "../../src/jupyter/index.js";
import { loadGraph, openProject, profileNames } from "../../src/pipeline/index.js";
import { filesBelow } from "../../src/pipeline/provenance.js";

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

  it("is named in pipeline.yaml alone: no source names one of its notebooks", () => {
    const sources = ["src", "kernels"].flatMap((folder) => filesBelow(join(projectRoot(), folder)));
    const naming = sources.filter((path) => {
      const text = readFileSync(path, "utf8");
      return graph.notebooks.some(({ name }) => text.includes(name));
    });
    expect(sources.length).toBeGreaterThan(100);
    expect(naming).toEqual([]);
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
