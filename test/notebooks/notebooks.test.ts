import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";

interface Cell {
  cell_type: "markdown" | "code";
  id: string;
  metadata: { tags?: string[] };
  source: string[];
  outputs?: unknown[];
  execution_count?: number | null;
}

interface Notebook {
  nbformat: number;
  nbformat_minor: number;
  metadata: { kernelspec: Record<string, string> };
  cells: Cell[];
}

const folder = join(projectRoot(), "notebooks");
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ipynb"))
  .map((file) => file.slice(0, -".ipynb".length));
const notebooks = new Map(
  names.map((name) => [name, JSON.parse(readFileSync(join(folder, `${name}.ipynb`), "utf8")) as Notebook]),
);

const codeCells = (notebook: Notebook) => notebook.cells.filter((cell) => cell.cell_type === "code");
const isParameters = (cell: Cell) => cell.metadata.tags?.includes("parameters") ?? false;
const sourceOf = (cell: Cell) => cell.source.join("");
const parse = (source: string) => ts.createSourceFile("cell.ts", source, ts.ScriptTarget.ES2022, true);

describe.each([...notebooks])("%s", (_, notebook) => {
  it("is a clean notebook for the alignscope kernel", () => {
    expect([notebook.nbformat, notebook.nbformat_minor]).toEqual([4, 5]);
    expect(notebook.metadata.kernelspec).toEqual({
      name: "alignscope",
      display_name: "TypeScript (alignscope)",
      language: "typescript",
    });
    expect(new Set(notebook.cells.map(({ id }) => id)).size).toBe(notebook.cells.length);
    for (const cell of codeCells(notebook)) {
      expect(cell.outputs).toEqual([]);
      expect(cell.execution_count).toBeNull();
    }
  });

  it("begins with a title and typed, documented parameters", () => {
    expect(sourceOf(notebook.cells[0] as Cell)).toMatch(/^# /);
    const [first, ...others] = codeCells(notebook) as [Cell, ...Cell[]];
    expect(first.metadata.tags).toEqual(["parameters"]);
    expect(others.some(isParameters)).toBe(false);
    for (const statement of parse(sourceOf(first)).statements) {
      expect(ts.isVariableStatement(statement)).toBe(true);
      expect(ts.getJSDocCommentsAndTags(statement)).not.toHaveLength(0);
      for (const declaration of (statement as ts.VariableStatement).declarationList.declarations) {
        expect(declaration.type, declaration.getText()).toBeDefined();
        expect(declaration.initializer, declaration.getText()).toBeDefined();
      }
    }
  });

  it("imports from alignscope and nothing else", () => {
    for (const cell of codeCells(notebook)) {
      for (const statement of parse(sourceOf(cell)).statements) {
        if (ts.isImportDeclaration(statement))
          expect(statement.moduleSpecifier.getText()).toBe('"alignscope"');
      }
      expect(sourceOf(cell)).not.toMatch(/\brequire\(|\bimport\(/);
    }
  });

  it("has cells that one takes in at a glance: 25 lines at most, of 120 characters at most", () => {
    const tooLong = codeCells(notebook).flatMap((cell) => {
      const lines = sourceOf(cell).split("\n");
      const widest = Math.max(...lines.map((line) => line.length));
      return [
        ...(lines.length > 25 && !isParameters(cell) ? [`${cell.id}: ${lines.length} lines`] : []),
        ...(widest > 120 ? [`${cell.id}: a line of ${widest} characters`] : []),
      ];
    });
    expect(tooLong).toEqual([]);
  });

  it("leaves to the library how things are drawn and set out in tables", () => {
    const own = codeCells(notebook).filter((cell) => /\b(figure|table)\(\{/.test(sourceOf(cell)));
    expect(own.map(({ id }) => id)).toEqual([]);
  });

  it("writes { name }, not { name: name }", () => {
    const repeated: string[] = [];
    for (const cell of codeCells(notebook)) {
      const visit = (node: ts.Node): void => {
        if (ts.isPropertyAssignment(node) && node.name.getText() === node.initializer.getText())
          repeated.push(`${cell.id}: ${node.getText()}`);
        ts.forEachChild(node, visit);
      };
      visit(parse(sourceOf(cell)));
    }
    expect(repeated).toEqual([]);
  });
});

describe("all notebooks", () => {
  it("type-check against the library, as a kernel would compile them", { timeout: 120_000 }, () => {
    const root = projectRoot();
    const virtual = new Map(
      [...notebooks].map(([name, notebook]) => [
        join(root, "test", "notebooks", `${name}.cells.ts`),
        codeCells(notebook).map(sourceOf).join("\n"),
      ]),
    );
    const options: ts.CompilerOptions = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      types: ["node"],
      paths: { alignscope: [join(root, "src", "index.ts")] },
      esModuleInterop: true,
      skipLibCheck: true,
      noEmit: true,
    };
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    host.getSourceFile = (file, ...rest) => {
      const source = virtual.get(file);
      return source === undefined
        ? getSourceFile(file, ...rest)
        : ts.createSourceFile(file, source, ts.ScriptTarget.ES2022);
    };
    host.fileExists = (file) => virtual.has(file) || fileExists(file);
    host.readFile = (file) => virtual.get(file) ?? readFile(file);
    const program = ts.createProgram([...virtual.keys()], options, host);
    const errors = [...virtual.keys()].flatMap((file) => {
      const source = program.getSourceFile(file) as ts.SourceFile;
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
        ({ messageText, start }) => {
          const { line } = source.getLineAndCharacterOfPosition(start ?? 0);
          const text = source.text.split("\n")[line]?.trim() ?? "";
          return `${file.split("/").at(-1)}: ${ts.flattenDiagnosticMessageText(messageText, " ")} in: ${text}`;
        },
      );
    });
    expect(errors).toEqual([]);
  });
});
