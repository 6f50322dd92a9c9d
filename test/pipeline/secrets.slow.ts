import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Manifest, plan, reproduce } from "../../src/pipeline/index.js";
import { pretendToRun, Series } from "./helpers.js";

function declareSecret(series: Series): void {
  series.edit("1-first.ipynb", (text) =>
    text.replace("const count: number", 'const apiKey: string = \\"\\";\\nconst count: number'),
  );
}

/** Everything that a run has left, in one text. */
function everything(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
}

describe("a secret among the parameters of a series", () => {
  it("reaches the notebook, stays out of all that is written, and a new one runs the notebook again", async () => {
    const series = new Series();
    declareSecret(series);
    const run = async (apiKey: string) => {
      const { ran, execute } = pretendToRun();
      await reproduce(await series.open({ parameters: { apiKey } }), { execute });
      return ran;
    };
    expect((await run("hunter22"))[0]?.parameters["apiKey"]).toBe("hunter22");
    expect(everything(series.outputs)).not.toContain("hunter22");
    const manifest = JSON.parse(series.result("manifest.json")) as Manifest;
    expect(manifest.notebooks[0]?.parameters?.["apiKey"]).toEqual({
      value: "********",
      source: "command line",
    });
    expect(await run("hunter22")).toEqual([]);

    const planned = await plan(await series.open({ parameters: { apiKey: "hunter23" } }));
    expect(planned[0]?.reasons).toEqual(["parameter apiKey changed"]);
    expect(planned[0]?.parameters["apiKey"]?.value).toBe("********");
    expect((await run("hunter23")).map(({ name }) => name)).toContain("1-first");
  });
});

describe("--mask-parameters and --no-mask-parameters", () => {
  it("keep out of all that is written whatever a pattern names, outputs and log included", async () => {
    const series = new Series();
    const project = await series.open({ parameters: { label: "hunter22" }, maskParameters: ["LABEL"] });
    const events: unknown[] = [];
    await reproduce(project, { only: ["1", "2"], onEvent: (event) => events.push(event) });
    // The file that the notebook writes is its own matter.
    expect(series.result("artifacts/sum.json")).toBe('{"hunter22":6}');
    rmSync(join(series.outputs, "artifacts/sum.json"));
    expect(everything(series.outputs)).not.toContain("hunter22");
    expect(JSON.stringify(events)).not.toContain("hunter22");
    expect(series.result("notebooks/2-middle.ipynb")).toContain("********");
    const manifest = JSON.parse(series.result("manifest.json")) as Manifest;
    const middle = manifest.notebooks.find(({ name }) => name === "2-middle");
    expect(middle?.parameters?.["label"]).toEqual({ value: "********", source: "command line" });
  });

  it("show everything when asked to", async () => {
    const series = new Series();
    declareSecret(series);
    const options = { parameters: { apiKey: "hunter22" }, maskParameters: false as const };
    const { execute } = pretendToRun();
    await reproduce(await series.open(options), { execute });
    const manifest = JSON.parse(series.result("manifest.json")) as Manifest;
    expect(manifest.notebooks[0]?.parameters?.["apiKey"]?.value).toBe("hunter22");
  });

  it("reach an error about a value that the type refuses", async () => {
    const series = new Series();
    const refused = series.open({ parameters: { mode: "hunter22" }, maskParameters: ["mode"] });
    await expect(refused).rejects.toThrow(/parameter mode of 1-first/);
    await expect(refused).rejects.not.toThrow(/hunter22/);
  });
});

describe("a value that a notebook's type refuses", () => {
  it("is an error before anything runs, with every refusal in a line", async () => {
    const series = new Series();
    series.edit("profiles/small.yaml", (text) => text.replace("count: 3", "count: three"));
    await expect(series.open({ parameters: { mode: "corected" } })).rejects.toThrow(
      [
        'parameter count of 1-first: got "three" (profile), expected number',
        'parameter mode of 1-first: got "corected" (command line), expected "as-published" | "corrected"; did you mean "corrected"?',
      ].join("\n"),
    );
  });
});
