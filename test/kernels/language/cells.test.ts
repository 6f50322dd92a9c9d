import { afterAll, describe, expect, it } from "vitest";
import { Cells, Folder } from "./folder.js";

const folder = new Folder();
const kernel = new Cells(folder.path);
afterAll(() => folder.remove());

it("what a cell declares is known to later ones, with its type", () => {
  kernel.cell(
    "let count = 1; const name = 'Ada'; function twice(n: number) { return 2 * n; } class Box { constructor(readonly n: number) {} }",
    "enum Colour { Red = 1, Green } namespace Geo { export const pi = 3; export function area(r: number) { return pi * r * r; } }",
    "interface Named { name: string } type Both = Named & { n: number }; import * as os from 'node:os'; import { sep as slash } from 'node:path';",
    "const both: Both = { name, n: twice(count) + Colour.Red + Geo.area(2) + new Box(3).n }; os.EOL + slash",
  );
  expect(kernel.problems("const bad: Both = { name: 1, n: twice('') };")).toHaveLength(2);
  expect(kernel.problems("count = 'text'")).toEqual([
    "1:1 Type 'string' is not assignable to type 'number'.",
  ]);
});

it("a name may be declared again as another thing, and older values keep their types", () => {
  kernel.cell(
    "class Point { x = 1 } const point = new Point();",
    "class Point { y = 'text' } const other = new Point();",
    "const again = 1;",
    "let again = 'text'; again.length",
    "function again() { return 5; }\nagain()",
    "const sum: number = point.x + other.y.length;",
  );
  expect(kernel.problems("point.y")).toEqual(["1:7 Property 'y' does not exist on type 'Point'."]);
});

it("assigning to what is no variable is refused in its terms", () => {
  kernel.cell("const fixed = 1; function called() {} class Made {} let free: number | string = 1;");
  expect(kernel.problems("fixed = 2")).toEqual(["1:1 Cannot assign to 'fixed' because it is a constant."]);
  expect(kernel.problems("called = null; Made = null")).toEqual([
    "1:1 Cannot assign to 'called' because it is a function.",
    "1:16 Cannot assign to 'Made' because it is a class.",
  ]);
  kernel.cell("free = 'text'; free.length", "[free] = ['a']; ({ free } = { free: 2 }); free++;");
});

it("a name that is a type and a value is both for later cells", () => {
  kernel.cell(
    "type Unit = 'mm' | 'cm'; const Unit = { mm: 1, cm: 10 };",
    "const unit: Unit = 'mm'; Unit[unit]",
  );
});

it.each([
  [
    "await before brackets, templates and line breaks",
    "await (async () => 1)(); await [1]; await `a`; await\n1; await { a: 1 }",
  ],
  ["for await", "async function* two() { yield 1; yield 2; } for await (const n of two()) n;"],
  ["using", "{ using x = { [Symbol.dispose]() {} }; } await using y = { async [Symbol.asyncDispose]() {} };"],
  ["newer array methods", "[3, 1, 2].toSorted().with(0, 1).findLast((n) => n > 1)"],
  [
    "inferred predicates",
    "const xs: (number | null)[] = [1]; const ys: number[] = xs.filter((x) => x !== null);",
  ],
  [
    "standard decorators",
    "function log<T>(value: T, context: ClassMethodDecoratorContext) { return value; } class L { @log m() {} }",
  ],
  [
    "exports of every kind",
    "export const x1 = 1; export function f1() {} export default 5; export { x1 as x2 }; export * from 'node:os'; export type T1 = 1; interface I1 {} export { I1 };",
  ],
  ["members of enums in terms of each other", "enum Level { Low = 'lo'.length, High = Low + 1 }"],
  [
    "private members of a class expression",
    "const C = class { #y = 1; private x = 2; sum() { return this.#y + this.x; } };",
  ],
  [
    "careless code, without a tsconfig",
    "let nothing: string = null; const f = (a) => a; const g: string = undefined;",
  ],
  [
    "what every cell finds",
    "const answer: string = await input('?'); kernel.display({ 'text/plain': answer }); process.pid; Buffer.from('');",
  ],
  ["nothing but a comment", "// nothing"],
  ["import attributes", "const p = await import('node:path', { with: {} });"],
])("%s", (_what, code) => {
  expect(kernel.problems(code)).toEqual([]);
});

it("unfinished code is explained by what was written alone", () => {
  expect(kernel.problems("let a = Math.")).toEqual(["1:14 Identifier expected."]);
  expect(kernel.problems("const t = `one")).toEqual(["1:15 Unterminated template literal."]);
  expect(kernel.problems("return 5")).toEqual([expect.stringContaining("'return'")]);
});

it("declare global and namespaces reach all cells, and a cell that declares them can be run again", () => {
  const shared = "declare global { interface Array<T> { second(): T } var level: number }";
  kernel.cell(shared, "[1, 2].second().toFixed()", shared, "globalThis.level + [1].second()");
});

describe("a cell that did not come to its end", () => {
  it("leaves what it assigned, its functions and its types; other names keep their older meaning", () => {
    kernel.cell("let acc = 1; let gone = 1;");
    kernel.failed(
      "let acc = 'text'; function helper() { return 1; } interface Part { p: 1 } let gone = 'never'; let lost = 1;",
      "acc",
    );
    kernel.cell("acc.toUpperCase(); helper().toFixed(); gone.toFixed(); const part: Part = { p: 1 };");
    expect(kernel.problems("lost")).toEqual(["1:1 Cannot find name 'lost'."]);
  });

  it("leaves nothing when it was refused", () => {
    kernel.cell("const kept = 1;");
    expect(kernel.problems("const kept = 'new'; const refused: number = '';")).toHaveLength(1);
    kernel.cell("kept.toFixed()");
    expect(kernel.problems("refused")).toHaveLength(1);
  });
});

it("names of earlier cells are no longer known after a reset", () => {
  const { language } = new Cells(folder.path);
  language.compile("const before = 1;", 1);
  language.reset();
  expect(language.compile("before", 2).ok).toBe(false);
  expect(language.compile("const after = 1; after", 3).ok).toBe(true);
});

it("types go through a long chain of cells", () => {
  kernel.cell("let c0 = 1;");
  for (let n = 1; n <= 60; n++) kernel.cell(`const c${n} = c${n - 1} + 1; const o${n} = { c${n} };`);
  kernel.cell("c60.toFixed(); o60.c60");
});

it("the cells of one compiler mean the same to another that is told them", () => {
  folder.write({
    "shape.ts": "export interface Shape { sides: number }\nexport const square: Shape = { sides: 4 };",
  });
  const before = new Cells(folder.path);
  const codes = [
    'import { Shape, square } from "./shape";\nlet one: Shape = square;',
    "interface Point { x: number }\nlet point: Point = { x: 1 };",
    "let point = 'text', late = 1;",
    "declare global { var everywhere: boolean }\nexport {};",
  ];
  for (const code of codes) before.cell(code);
  const after = new Cells(folder.path, codes.length);
  after.language.restore(
    codes.map((code, index) => ({ execution: index + 1, code, ...(index === 2 && { assigned: ["late"] }) })),
  );
  // Of the third cell, which failed, only `late` was assigned.
  expect(after.problems("point.x + late; one.sides; everywhere = true;")).toEqual([]);
  expect(after.problems("point.y")).toEqual(["1:7 Property 'y' does not exist on type 'Point'."]);
  expect(after.hover("on|e")).toBe("let one: Shape");
  expect(after.cell("const two: Shape = one; two").script.code).not.toContain("Shape");
});

describe("what runs", () => {
  it("has no types, and gives its last expression as the result", () => {
    const { script, declares, resets, imports } = kernel.cell(
      "import { type Stats, readFileSync } from 'node:fs'; import type { Hash } from 'node:crypto';\nenum E { A }\nconst n: number = 1;\n[n, E.A]",
    );
    expect(declares).toEqual(["E", "n"]);
    expect(resets).toEqual(["E"]);
    expect(imports).toEqual([{ specifier: "node:fs", bindings: { readFileSync: "readFileSync" } }]);
    expect(script.code.replaceAll("\u200d", "")).toContain("result([n, E.A])");
    expect(script.maps).toHaveLength(2);
  });

  it("imports no types, also where nothing says that they are, and keeps what later cells may use", () => {
    const { imports } = kernel.cell(
      "import { Stats, existsSync, Dirent as D } from 'node:fs'; import { Hash } from 'node:crypto'; import 'node:os'; interface I {}",
    );
    expect(imports).toEqual([
      { specifier: "node:fs", bindings: { Stats: "Stats", existsSync: "existsSync", D: "Dirent" } },
      { specifier: "node:crypto", bindings: { Hash: "Hash" } },
      { specifier: "node:os", bindings: {} },
    ]);
    expect(
      kernel.cell("import { StatOptions } from 'node:fs'; import { sep, PlatformPath } from 'node:path';")
        .imports,
    ).toEqual([{ specifier: "node:path", bindings: { sep: "sep" } }]);
  });
});
