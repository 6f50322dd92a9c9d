import { describe, expect, it } from "vitest";
import { openProject, type Project } from "../../src/pipeline/index.js";
import { effectiveParameters } from "../../src/pipeline/parameters.js";
import { paperTable } from "../../src/present/paper-values.js";

const TABLES = [
  ["table-5", "4.3-dpo"],
  ["table-6", "4.2-pairwise-data"],
] as const;

/** The parameters that a notebook would get in a profile. */
function valuesOf({ declared, profile }: Project, notebook: string): Record<string, unknown> {
  const chosen = effectiveParameters(notebook, declared.get(notebook) ?? [], profile, {});
  return Object.fromEntries(Object.entries(chosen).map(([name, { value }]) => [name, value]));
}

/** Every published setting that a profile decides: its name there, the profile's value, the published one. */
function compared(project: Project): { parameter: string; own: unknown; published: unknown }[] {
  return TABLES.flatMap(([id, notebook]) => {
    const values = valuesOf(project, notebook);
    return paperTable(id).rows.flatMap(({ parameter, value, code }) =>
      typeof parameter === "string"
        ? [{ parameter, own: values[parameter], published: value ?? code ?? null }]
        : [],
    );
  });
}

describe("hyperparameters", () => {
  it("of the profile paper are those of tables 5 and 6, and of the official code where these are silent", async () => {
    const settings = compared(await openProject({ profile: "paper" }));
    expect(settings).toHaveLength(24);
    for (const { parameter, own, published } of settings) expect(own, parameter).toBe(published);
  });

  it("of table 5 are the paper's, not the code's, where they differ: in patience alone", () => {
    const differing = paperTable("table-5").rows.filter(
      ({ value, code }) => value !== null && value !== code,
    );
    expect(differing.map(({ id, value, code }) => [id, value, code])).toEqual([["patience", 10, 30]]);
  });

  it.each(["lab", "lab-full", "gpt2", "paper"])(
    "of the profile %s have a reason where they are not the published ones, and none where they are",
    async (name) => {
      const project = await openProject({ profile: name });
      const { departures } = valuesOf(project, "D-hyperparameters");
      const differing = compared(project).filter(({ own, published }) => own !== published);
      expect(Object.keys(departures as object).sort()).toEqual(
        differing.map(({ parameter }) => parameter).sort(),
      );
    },
  );
});
