import { describe, expect, it } from "vitest";
import type { Notebook } from "../../src/jupyter/index.js";
import { declaredParameters } from "../../src/pipeline/index.js";
import { effectiveParameters } from "../../src/pipeline/parameters.js";
import type { Profile } from "../../src/pipeline/profile.js";
import { Series } from "./helpers.js";

function notebook(source: string): Notebook {
  const metadata = { tags: ["parameters"] };
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: [{ cell_type: "code", id: "a", source, metadata, execution_count: null, outputs: [] }],
  };
}

const profile: Profile = {
  name: "small",
  description: "a test",
  machine: "any",
  parameters: { count: 3, padding: "masked", elsewhere: 1 },
};

async function choose(
  source: string,
  given: Record<string, string>,
): Promise<ReturnType<typeof effectiveParameters>> {
  return effectiveParameters("nb", await declaredParameters(notebook(source), "alignscope"), profile, given);
}

describe("the parameters that a notebook declares", () => {
  it("are the variables of its parameters cell, with their literal defaults", async () => {
    const source = [
      "/** How many. */",
      "let count: number = -1;",
      'const alphas: readonly number[] = [50, 20.5], model = "lab";',
      "const scales: Record<string, number> = { W: 50, 'v': 20 };",
      "const half = count / 2;",
      "function notOne() {}",
    ].join("\n");
    const declared = await declaredParameters(notebook(source), "alignscope");
    expect(declared.map(({ name, type, default: value }) => [name, type, value])).toEqual([
      ["count", "number", -1],
      ["alphas", "readonly number[]", [50, 20.5]],
      ["model", undefined, "lab"],
      ["scales", "Record<string, number>", { W: 50, v: 20 }],
      ["half", undefined, undefined],
    ]);
  });

  it("are none when no cell is tagged parameters", async () => {
    const untagged = notebook("const count = 1;");
    untagged.cells.forEach((cell) => (cell.metadata = {}));
    expect(await declaredParameters(untagged, "alignscope")).toEqual([]);
  });
});

describe("the value of a parameter", () => {
  const source =
    'const count: number = 1; const padding: "masked" | "as-published" = "as-published"; const seed = 42;';

  it("comes from the notebook, else the profile, else the command line, the last one that has it", async () => {
    expect(await choose(source, { count: "5" })).toEqual({
      count: { value: 5, source: "command line" },
      padding: { value: "masked", source: "profile" },
      seed: { value: 42, source: "notebook" },
    });
  });

  it("is never given under a name that the notebook does not declare", async () => {
    expect(Object.keys(await choose(source, { other: "1" }))).not.toContain("other");
    expect(Object.keys(await choose(source, {}))).not.toContain("elsewhere");
  });

  it("stays text where text is declared, and is a list or a number elsewhere", async () => {
    const typed = 'const label: string = ""; const alphas: number[] = []; const limit: number | null = null;';
    const { label, alphas, limit } = await choose(typed, { label: "12", alphas: "[1, 2.5]", limit: "null" });
    expect([label?.value, alphas?.value, limit?.value]).toEqual(["12", [1, 2.5], null]);
  });

  it.each([
    [{ count: "many" }, 'parameter count of nb: got "many" (command line), expected number'],
    [
      { padding: "none" },
      'parameter padding of nb: got "none" (command line), expected "masked" | "as-published"',
    ],
    [{ seed: "[1]" }, "parameter seed of nb: got [1] (command line), expected number"],
  ])("is refused in one line when the declared type does not allow it: %o", async (given, message) => {
    await expect(choose(source, given)).rejects.toThrow(message);
  });
});

describe("opening a series with a profile", () => {
  it("lists the profiles when the name is unknown", async () => {
    await expect(new Series().open({ profile: "huge" })).rejects.toThrow(
      "unknown profile: huge (expected one of large, small)",
    );
  });

  it("reads what a run of the profile was measured to take, and refuses an amount that is none or has no source", async () => {
    const opened = async (lines: string) => {
      const series = new Series();
      series.edit("profiles/small.yaml", (text) => `${lines}\n${text}`);
      return (await series.open()).profile;
    };
    expect(
      await opened("time: { minutes: 2, source: here }\nmemory: { gigabytes: 1.5, source: counted }"),
    ).toMatchObject({ time: { seconds: 120, source: "here" }, memory: { bytes: 1.5e9, source: "counted" } });
    await expect(opened("time: { minutes: soon, source: here }")).rejects.toThrow(
      'small.yaml: time: minutes is "soon", expected a number above 0',
    );
    await expect(opened("memory: { gigabytes: 2 }")).rejects.toThrow("memory: source: got undefined");
    await expect(opened("time: { seconds: 2, source: here }")).rejects.toThrow("time: unknown key seconds");
  });

  it("refuses a parameter that no notebook declares, from the command line or the profile", async () => {
    const series = new Series();
    await expect(series.open({ parameters: { cuont: "3" } })).rejects.toThrow(
      "unknown parameter in the command line: cuont (the notebooks declare count, label, mode, outputs)",
    );
    series.edit("profiles/small.yaml", (text) => text.replace("count:", "cuont:"));
    await expect(series.open()).rejects.toThrow("unknown parameter in the profile small: cuont");
  });

  it("keeps -p off what has an option of its own", async () => {
    await expect(new Series().open({ parameters: { outputs: "x" } })).rejects.toThrow(
      "the parameter outputs is set with --outputs DIR, not with -p",
    );
  });
});
