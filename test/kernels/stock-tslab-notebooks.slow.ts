import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { readNotebook } from "../../src/jupyter/index.js";
import { executeNotebook } from "../../src/papermill/index.js";
import { codeCells } from "../papermill/notebooks.js";
import { useStockTslab } from "../papermill/stock-tslab-kernel.js";

/** tslab's own converter, as it comes. */
interface Converter {
  convert(
    declarations: string,
    code: string,
  ): { declOutput?: string; diagnostics: { start: { line: number }; messageText: string }[] };
  close(): void;
}

const folder = mkdtempSync(join(tmpdir(), "stock-notebooks-"));
const notebooks = join(projectRoot(), "notebooks");
let restore = (): void => undefined;
beforeAll(() => {
  restore = useStockTslab(folder);
});
afterAll(() => {
  restore();
  rmSync(folder, { recursive: true });
});

describe("the notebooks under stock tslab", () => {
  const names = readdirSync(notebooks).filter((name) => name.endsWith(".ipynb"));
  let converter: Converter;
  beforeAll(() => {
    const load = createRequire(join(projectRoot(), "node_modules", "tslab", "package.json"));
    converter = (load("./dist/converter.js") as { createConverter(): Converter }).createConverter();
  });
  afterAll(() => converter.close());

  it.each(names)("%s has no type error in any cell", (name) => {
    let declarations = "";
    const complaints = codeCells(readNotebook(join(notebooks, name))).flatMap((cell, index) => {
      const { declOutput, diagnostics } = converter.convert(declarations, cell.source);
      declarations = declOutput ?? declarations;
      return diagnostics.map(
        ({ start, messageText }) => `cell ${index + 1}:${start.line + 1} ${messageText}`,
      );
    });
    expect(complaints).toEqual([]);
  });

  it("2-preliminaries runs to its end, its results beside its cells", async () => {
    const done = await executeNotebook(join(notebooks, "2-preliminaries.ipynb"), null, {
      kernelName: "tslab",
      cwd: projectRoot(),
      parameters: { outputs: join(folder, "outputs") },
    });
    const types = codeCells(done).flatMap((cell) => cell.outputs.map((output) => output.output_type));
    expect(types).toContain("display_data");
    expect(types).not.toContain("error");
    expect(codeCells(done).every((cell) => cell.execution_count !== null)).toBe(true);
  });
});
