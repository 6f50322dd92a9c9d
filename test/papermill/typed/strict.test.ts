import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { executeNotebook, ParameterError, type ExecuteOptions } from "../../../src/papermill/index.js";
import { codeCells, notebookOf } from "../notebooks.js";

const folder = mkdtempSync(join(tmpdir(), "strict-parameters-"));
afterAll(() => rmSync(folder, { recursive: true }));

const CELL = [
  'const seed: number = 7, size: "small" | "large" = "small";',
  "let layers: number[] = [], big: bigint = 1n, untyped = 1;",
].join("\n");

async function injected(options: ExecuteOptions, source = CELL, language = "typescript") {
  const warnings: string[] = [];
  const notebook = await executeNotebook(notebookOf([[source, "parameters"]], "any", language), null, {
    ...options,
    prepareOnly: true,
    onEvent: (event) => void (event.type === "warning" && warnings.push(event.message)),
  });
  return { lines: codeCells(notebook)[1]?.source.trimEnd().split("\n").slice(1), warnings };
}

const pythonCell = "seed: int = 7\nlabel: str = 'x'\nmode: Literal['a', 'b'] = 'a'\nfree = 1";

describe("parameters, loosely", () => {
  it("go in as they are given, and what does not fit is told", async () => {
    const { lines, warnings } = await injected({ parameters: { seed: "7", layers: [1, "2"], other: 1 } });
    expect(lines).toEqual([
      'const seed: number = "7";',
      'let layers: number[] = [1, "2"];',
      "const other = 1;",
    ]);
    expect(warnings).toEqual([
      'parameter seed: got "7", expected number',
      'parameter layers[1]: got "2", expected number',
      "Passed unknown parameter: other",
    ]);
  });

  it("are read from -p by a type that the kernel checks, and stay papermill's guess elsewhere", async () => {
    const parameters = { size: 1, seed: "true", untyped: "true" };
    const parameterTexts = { typed: { size: "small", seed: "5", untyped: "true" } };
    const { lines } = await injected({ parameters, parameterTexts });
    expect(lines).toEqual([
      'const size: "small" | "large" = "small";',
      "const seed: number = 5;",
      'let untyped = "true";',
    ]);
    const python = { parameters: { label: 12 }, parameterTexts: { typed: { label: "12" } } };
    expect((await injected(python, pythonCell, "python")).lines).toEqual(["label = 12"]);
  });

  it("from -r are text", async () => {
    const { lines, warnings } = await injected({
      parameters: { seed: "7" },
      parameterTexts: { raw: ["seed"] },
    });
    expect(lines).toEqual(['const seed: number = "7";']);
    expect(warnings).toEqual([
      'parameter seed: got "7", expected number; -r gives text, -p what is declared',
    ]);
  });
});

describe("strict parameters", () => {
  it("are refused all at once, before anything is written or any kernel is started", async () => {
    const output = join(folder, "never.ipynb");
    const parameters = { sead: 1, size: "smal", layers: [1, "x", null], seed: 5 };
    const run = executeNotebook(notebookOf([[CELL, "parameters"]]), output, {
      parameters,
      strictParameters: true,
    });
    const error: unknown = await run.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ParameterError);
    expect((error as ParameterError).problems).toEqual([
      "unknown parameter: sead; did you mean seed?",
      'parameter size: got "smal", expected "small" | "large"; did you mean "small"?',
      'parameter layers[1]: got "x", expected number',
      "parameter layers[2]: got null, expected number",
    ]);
    expect(existsSync(output)).toBe(false);
  });

  it("are put into the declared form", async () => {
    const parameters = { big: 5, seed: 12n, PAPERMILL_INPUT_PATH: "in" };
    const { lines, warnings } = await injected({ parameters, strictParameters: true });
    expect(lines).toEqual([
      "let big: bigint = 5n;",
      "const seed: number = 12;",
      'const PAPERMILL_INPUT_PATH = "in";',
    ]);
    expect(warnings).toEqual([]);
  });

  it("hold in Python as far as its annotations tell", async () => {
    const strict = (parameters: ExecuteOptions["parameters"], typed = {}) =>
      injected({ parameters, parameterTexts: { typed }, strictParameters: true }, pythonCell, "python");
    expect((await strict({ label: 12, free: "x" }, { label: "12" })).lines).toEqual([
      'label = "12"',
      'free = "x"',
    ]);
    await expect(strict({ seed: 1.5 })).rejects.toThrow("parameter seed: got 1.5, expected integer");
    await expect(strict({ mode: "c", lable: "" })).rejects.toThrow(
      'parameter mode: got "c", expected "a" | "b"\nunknown parameter: lable; did you mean label?',
    );
  });

  it("write the members of an enum by name, which is all that TypeScript takes", async () => {
    const source = 'enum Size { Small = "small", Large = "large" }\nconst sizes: Size[] = [Size.Small];';
    const { lines } = await injected({ parameters: { sizes: ["large"] }, strictParameters: true }, source);
    expect(lines).toEqual(["const sizes: Size[] = [Size.Large];"]);
  });
});
