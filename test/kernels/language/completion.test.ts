import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cells, Folder } from "./folder.js";
import { completeness } from "../../../kernels/typescript/language/completeness.js";

const folder = new Folder();
let kernel: Cells;
beforeAll(() => {
  folder.write({
    "paths.ts": "export const rootFolder = '/'; export function joined() {}",
    "data/table.json": "{}",
    "node_modules/some-package/package.json": '{ "name": "some-package", "types": "index.d.ts" }',
    "node_modules/some-package/index.d.ts":
      "/**\n * Opens it.\n * @param path where\n */\nexport declare function openIt(path: string): void;\nexport declare const other: 1;",
  });
  kernel = new Cells(folder.path);
  kernel.cell(
    "/** How much counts. */ let threshold = 0.5; const thresholdFixed = 1; /** How one is made. */ function makeThing(name: string) { return { name, size: 1 }; }",
    "interface Settings { learningRate: number; batchSize: number; 'odd-key': 1 } const thing = makeThing('a'); declare const settings: Settings;",
  );
});
afterAll(() => folder.remove());

describe("completion", () => {
  it.each([
    ["Math.sq|", ["sqrt"], "Math.sqrt"],
    ["Math.SQ|", ["SQRT1_2", "SQRT2"], "Math.SQRT1_2"],
    ["thresh|", ["threshold", "thresholdFixed"], "threshold"],
    ["foo(thresh|)", ["threshold", "thresholdFixed"], "foo(threshold)"],
    ["thing.na|", ["name"], "thing.name"],
    ["for (const x of [thing]) {\n  x.si|", ["size"], "for (const x of [thing]) {\n  x.size"],
    ["let s: Sett|", ["Settings"], "let s: Settings"],
    ["const s: Settings = { lear| }", ["learningRate"], "const s: Settings = { learningRate }"],
    [
      "const s: Settings = { batchSize: 1, lear| }",
      ["learningRate"],
      "const s: Settings = { batchSize: 1, learningRate }",
    ],
    [
      "const s: Settings = { |",
      ['"odd-key"', "batchSize", "learningRate"],
      'const s: Settings = { "odd-key"',
    ],
    ['thing["|"]', ["name", "size"], 'thing["name"]'],
    ['thing["|', ["name", "size"], 'thing["name'],
    ['import * as fs from "node:f|"', ["node:fs", "node:fs/promises"], 'import * as fs from "node:fs"'],
    ['import * as fs from "node:f|', ["node:fs", "node:fs/promises"], 'import * as fs from "node:fs'],
    ['import { rootFolder } from "./pa|"', ["paths"], 'import { rootFolder } from "./paths"'],
    ['import table from "./data/|', ["table.json"], 'import table from "./data/table.json'],
    ['import { } from "some-p|"', ["some-package"], 'import { } from "some-package"'],
    ['import { o| } from "some-package"', ["openIt", "other"], 'import { openIt } from "some-package"'],
    ['import { | } from "./paths"', ["joined", "rootFolder"], 'import { joined } from "./paths"'],
    ['await import("./pa|")', ["paths"], 'await import("./paths")'],
    ["const 名 = '😀'; 名.toUpperC|", ["toUpperCase"], "const 名 = '😀'; 名.toUpperCase"],
    ["// noth|", [], "// "],
  ])("%s", (code, matches, becomes) => {
    const offered = kernel.offered(code);
    // `type` may stand where an import's name may.
    expect(offered.matches.filter((name) => name !== "type")).toEqual(matches);
    if (matches.length > 0) expect(offered.becomes).toBe(becomes);
  });

  it("offers names of the language, of Node and of cells where anything may stand, and none that nobody wrote", () => {
    const { matches } = kernel.offered("|");
    expect(matches).toEqual(
      expect.arrayContaining(["threshold", "makeThing", "console", "kernel", "Buffer", "const"]),
    );
    expect(matches.filter((name) => /\u200d|ts-jupyter-kernel/.test(name))).toEqual([]);
    expect(kernel.offered('import "./|').matches.filter((name) => name.startsWith("ts-jupyter"))).toEqual([]);
  });
});

describe("hover", () => {
  it("tells type and documentation of names of cells, packages and the language", () => {
    expect(kernel.hover("Math.sq|rt")).toContain("sqrt(x: number): number");
    expect(kernel.hover("Math.sq|rt")).toContain("Returns the square root of a number.");
    expect(kernel.hover("makeTh|ing")).toContain("function makeThing(name: string)");
    expect(kernel.hover("makeTh|ing")).toContain("How one is made.");
    expect(kernel.hover("thresh|old")).toBe("let threshold: number\n\nHow much counts.");
    expect(kernel.hover("setti|ngs")).toBe("const settings: Settings");
    expect(kernel.hover('import { openIt } from "some-package"; openIt|')).toMatch(
      /^function openIt\(path: string\): void\n\nOpens it\.\n@param path where/,
    );
  });

  it("of a call's arguments tells the function, and of nothing nothing", () => {
    expect(kernel.hover("makeThing(|")).toContain("makeThing(name: string)");
    expect(kernel.hover("|")).toBeUndefined();
  });
});

it.each([
  ["const a = 1;", "complete"],
  ["const a = `one", "incomplete"],
  ["function f() {", "incomplete"],
  ["await { a: 1 }", "complete"],
  ["using x = y", "complete"],
  ["const a = ;", "invalid"],
  ["a b c", "invalid"],
  ["'one", "invalid"],
])("%j is %s", (code, status) => {
  expect(completeness(code).status).toBe(status);
});
