import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Cells, Folder } from "./folder.js";

const folder = new Folder();
const kernel = new Cells(folder.path);
const path = (name: string): string => join(folder.path, name);
afterAll(() => folder.remove());

it("local files come with the cell that reaches them, once, and again when they have changed", () => {
  folder.write({
    "one.ts":
      "import { two } from './two.mjs'; import data from './data.json'; export const one: number = two + data.n;",
    "two.mts":
      "import type { T } from './types'; export const two: number = await Promise.resolve(1); export type U = T;",
    "types.ts": "export type T = 1;",
    "data.json": '{ "n": 1 }',
  });
  const first = kernel.cell("import { one } from './one'; one.toFixed()");
  expect(first.links).toEqual({ "./one": path("one.ts") });
  expect(
    first.modules.map((module) => [module.path, module.imports, module.links, module.awaits, module.json]),
  ).toEqual([
    [
      path("one.ts"),
      ["./two.mjs", "./data.json"],
      { "./two.mjs": path("two.mts"), "./data.json": path("data.json") },
      false,
      undefined,
    ],
    [path("data.json"), [], {}, false, true],
    [path("two.mts"), [], {}, true, undefined],
  ]);
  expect(first.modules[0]?.script.code).toContain('require("./two.mjs")');
  expect(kernel.cell("import { one } from './one'; one").modules).toEqual([]);
  folder.write({ "data.json": '{ "n": 20, "text": "more" }' });
  const again = kernel.cell("import { one } from './one'; import d from './data.json'; d.text.length");
  expect(again.modules.map((module) => module.path)).toEqual([path("data.json")]);
  kernel.language.reset();
  expect(kernel.cell("import { one } from './one'; one").modules).toHaveLength(3);
});

it("import() and require() of local files reach them, too", () => {
  folder.write({
    "later.mjs": "export const n = 1;",
    "old.cjs": "exports.value = { deep: 1 };",
    "plain.js": "module.exports = () => 5;",
  });
  const cell = kernel.cell(
    "const { n } = await import('./later.mjs'); const old = require('./old.cjs'); import plain from './plain'; plain(); n.toFixed()",
  );
  expect(cell.modules.map((module) => module.path).sort()).toEqual(
    ["later.mjs", "old.cjs", "plain.js"].map(path),
  );
  folder.write({ "later.mjs": "export const n = 'two';" });
  expect(kernel.cell("const later = await import('./later.mjs'); later.n.length").modules).toHaveLength(1);
});

it("a file that was made, or a package that was installed, after a failed import is found", () => {
  expect(kernel.problems("import { late } from './made-late'; late")).toHaveLength(1);
  folder.write({ "made-late.ts": "export const late = 7;" });
  kernel.cell("import { late } from './made-late'; late.toFixed()");
  expect(kernel.problems("import { fresh } from 'fresh'; fresh")).toHaveLength(1);
  folder.write({
    "node_modules/fresh/package.json":
      '{ "name": "fresh", "exports": { "types": "./index.d.ts", "default": "./index.js" } }',
    "node_modules/fresh/index.d.ts": "export declare const fresh: number;",
    "node_modules/fresh/index.js": "exports.fresh = 1;",
  });
  const { modules, links } = kernel.cell("import { fresh } from 'fresh'; fresh.toFixed()");
  expect([modules, links]).toEqual([[], {}]);
  folder.write({ "node_modules/fresh/index.d.ts": "export declare const fresh: string;" });
  kernel.cell("import { fresh } from 'fresh'; fresh.length");
});

it("a file that imports what is made later is looked at again", () => {
  folder.write({ "outer.ts": "export { inner } from './inner';" });
  expect(kernel.problems("import { inner } from './outer'; inner")).not.toEqual([]);
  folder.write({ "inner.ts": "export const inner = 1;" });
  kernel.cell("import { inner } from './outer'; inner.toFixed()");
  rmSync(path("inner.ts"));
  expect(kernel.problems("import { inner as gone } from './outer'; gone")).not.toEqual([]);
});

it("problems of an imported file are told with its path and text, syntax included", () => {
  folder.write({ "broken.ts": "export const fine = 1;\nexport const count: number = 'no number';\n" });
  const compiled = kernel.language.compile("import { fine } from './broken'; fine", 1000);
  expect(compiled).toEqual({
    ok: false,
    problems: [
      {
        code: 2322,
        message: "Type 'string' is not assignable to type 'number'.",
        place: { source: path("broken.ts"), line: 2, column: 14, length: 5 },
        text: "export const fine = 1;\nexport const count: number = 'no number';\n",
      },
    ],
  });
  folder.write({ "broken.ts": "export const fine = ;\n" });
  expect(kernel.problems("import { fine } from './broken'; fine")).toEqual(["1:21 Expression expected."]);
});

it("JavaScript with declarations beside it is loaded as the file that it is", () => {
  folder.write({
    "typed.js": "export const typed = 1;",
    "typed.d.ts": "export declare const typed: number;",
  });
  expect(kernel.cell("import { typed } from './typed'; typed.toFixed()").links).toEqual({
    "./typed": path("typed.js"),
  });
});

describe("cells that begin with @module", () => {
  it("are modules for later cells, and can be changed", () => {
    const made = kernel.cell("/** @module shared */\nexport const value = 1;\nexport type Kind = 'a' | 'b';");
    expect([made.declares, made.imports, made.script.code.trim()]).toEqual([[], [], ""]);
    const first = kernel.cell(
      'import { value, type Kind } from "./shared"; const kind: Kind = "a"; kind + value.toFixed()',
    );
    expect(first.modules.map((module) => module.path)).toEqual([path("shared.ts")]);
    kernel.cell("/** @module shared */\nexport const value = 'two';");
    expect(kernel.cell('import { value } from "./shared"; value.length').modules).toHaveLength(1);
  });

  it("are refused with their problems", () => {
    expect(kernel.problems("/** @module wrong */\nexport const value: number = 'text';")).toEqual([
      "2:14 Type 'string' is not assignable to type 'number'.",
    ]);
    expect(kernel.problems("import { value as w } from './wrong'; w")).toHaveLength(1);
  });
});

it("tslab's own types are known everywhere", () => {
  kernel.cell('import { display, versions } from "tslab"; display.html(versions.tslab)');
});

it("the nearest tsconfig says how strict cells are, what aliases mean and whether decorators are the old ones", () => {
  folder.write({
    "strict/tsconfig.json":
      '{\n  // as people write them\n  "compilerOptions": { "strict": true, "verbatimModuleSyntax": true, "experimentalDecorators": true, "paths": { "@lib/*": ["./lib/*"] } },\n}',
    "strict/lib/tool.ts":
      "export const tool = (name: string): string => `tool ${name}`; export interface Tool { a: 1 }",
    "strict/notebooks/readme.txt": "",
  });
  const strict = new Cells(path("strict/notebooks"));
  expect(strict.problems("const f = (a) => a; const g: string = undefined;")).toHaveLength(2);
  const { links, modules } = strict.cell('import { tool, Tool } from "@lib/tool"; tool("x")');
  expect(links).toEqual({ "@lib/tool": path("strict/lib/tool.ts") });
  expect(modules).toHaveLength(1);
  strict.cell("function upper(target: any, key: string) {}\nclass Marked { @upper field = 1; }");
});
