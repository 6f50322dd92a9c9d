import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endSessions, KernelSession } from "./kernel-session.js";

/* What people do cell after cell, in one kernel in a folder of its own. */

let kernel: KernelSession;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cells-"));
  kernel = await KernelSession.start({ cwd: folder });
}, 60_000);
afterAll(async () => {
  await endSessions();
  rmSync(folder, { recursive: true });
});

/** The result of the last of these cells; of one that fails, how. */
async function last(...cells: string[]): Promise<string | undefined> {
  let told: string | undefined;
  for (const code of cells) {
    const { failure, result } = await kernel.execute(code);
    told = failure || result;
  }
  return told;
}

const sleep = "const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));";

it.each<[what: string, result: string, ...cells: string[]]>([
  [
    "a closure sees a `let` that a later cell changes",
    "1",
    "let threshold = 0.5; const above = (x: number) => x > threshold;",
    "threshold = 0.9; [0.6, 0.95].filter(above).length",
  ],
  [
    "a counter is one for the function that counts and the cell that sets it",
    "101",
    "let counter = 0; function count() { return ++counter; }",
    "count(); count()",
    "counter = 100",
    "count()",
  ],
  [
    "a flag stops a loop that an earlier cell started",
    "true",
    `${sleep} let on = true; let turns = 0; void (async () => { while (on) { turns++; await sleep(5); } })();`,
    "on = false; await sleep(30); const before = turns; await sleep(60); turns === before",
  ],
  [
    "a loop that an earlier cell started goes on while later cells run",
    "true",
    `${sleep} let steps = 0; let going = true; void (async () => { while (going) { steps++; await sleep(2); } })();`,
    "const first = steps; await sleep(80); const more = steps > first; going = false; more",
  ],
  [
    "`import()` of files whose names are made up as the cell runs, and again when they have changed",
    "[ 1, 2, 2, 3 ]",
    'import { writeFileSync } from "node:fs"; import { pathToFileURL } from "node:url";',
    `writeFileSync("part.ts", "export const n: number = 1;");
     writeFileSync("whole.ts", "export const part = async (name: string): Promise<number> => (await import(\`./\${name}\`)).n;");
     const seen: number[] = [];
     for (const name of ["part"]) seen.push((await import(\`./\${name}\`)).n);`,
    `writeFileSync("part.ts", "export const n: number = 2;");
     for (const name of ["./part.ts", pathToFileURL("part.ts").href]) seen.push((await import(name)).n);`,
    `writeFileSync("part.ts", "export const n: number = 3;");
     for (const name of ["./whole"]) seen.push(await (await import(name)).part("part"));
     seen`,
  ],
  [
    "what a cell has gathered before it fails",
    "4",
    'const got: number[] = []; for (let i = 0; i < 5; i++) { await null; got.push(i); if (i === 3) throw new Error("stop"); }',
    "got.length",
  ],
  [
    "a variable that a failing cell has declared anew has the new value and type",
    "STR",
    "let acc = 1",
    'let acc = "str"; throw new Error("x")',
    "acc.toUpperCase()",
  ],
  [
    "a variable that a failing cell did not get to keeps its old value and type",
    "2",
    "let kept = 1",
    'throw new Error("x"); let kept = "str";',
    "kept + 1",
  ],
  [
    "a name that nothing was ever assigned to says so",
    "ReferenceError: never has no value: the cell that declares it did not get that far",
    "function readsNever(): unknown { return never; } throw new Error('x'); var dummy = 1; const never = 2;",
    "readsNever()",
  ],
  [
    "a function defined anew is what earlier functions call",
    "2",
    "function outer() { return inner(); } function inner() { return 1; }",
    "function inner() { return 2; }",
    "outer()",
  ],
  [
    "a class defined anew leaves objects of the old one as they are",
    "old new",
    "class Thing { is() { return 'old'; } } const made = new Thing();",
    "class Thing { is() { return 'new'; } }",
    "made.is() + ' ' + new Thing().is()",
  ],
  [
    "a value keeps the type that it was made with",
    "3",
    "interface Shape { sides: number } const shape: Shape = { sides: 3 };",
    "interface Shape { corners: number }",
    "shape.sides",
  ],
  [
    "an assignment to another cell's variable is type-checked",
    "TypeScriptError: 1:1 - Type 'string' is not assignable to type 'number'.",
    "let typed = 1",
    "typed = 'text'",
  ],
  [
    "a constant of another cell is one",
    "TypeScriptError: 1:1 - Cannot assign to 'fixed' because it is a constant.",
    "const fixed = 1",
    "fixed = 2",
  ],
  [
    "an enum that is run again has no member of before",
    "[ 'B', '0' ]",
    "enum Kind { A, B }",
    "enum Kind { B }",
    "Object.keys(Kind).sort().reverse()",
  ],
  [
    "a name like one of Node's own is the cells' alone",
    "mine function",
    "const process = 'mine'; const fetch = 1;",
    "process + ' ' + typeof globalThis.process.exit",
  ],
  [
    "a `var` keeps its value when it is declared again without one",
    "5",
    "var again = 5",
    "var again: number; again",
  ],
  [
    "`var`s of loops and blocks are the cells'",
    "3 done",
    "for (var turn = 0; turn < 3; turn++); if (true) { var word = 'done'; }",
    "turn + ' ' + word",
  ],
  [
    "destructuring with defaults, also into names of other cells",
    "1 7 2",
    "let left = 0, right = 0;",
    "({ a: left, b: right = 7 } = { a: 1 } as { a: number; b?: number }); const [, second = left] = [0, 2]; [left, right, second].join(' ')",
  ],
  [
    "functions and classes have the names that they were given",
    "f,g,C,f",
    "const f = () => 1; let g = function () {}; const C = class {}; let h = f;",
    "[f.name, g.name, C.name, h.name].join()",
  ],
  [
    "a class that speaks of itself",
    "2",
    "class Linked { static count = 0; next?: Linked; constructor() { Linked.count++; } static make() { const one = new Linked(); one.next = new Linked(); return one; } }",
    "Linked.make(); Linked.count",
  ],
])("%s", async (_, result, ...cells) => {
  expect(await last(...cells)).toBe(result);
});

describe("everything that TypeScript takes in a module", () => {
  it.each<[what: string, result: string, ...cells: string[]]>([
    [
      "await before a bracket",
      "3",
      "const get = async () => ({ json: async () => [1, 2, 3] })",
      "const rows = await (await get()).json(); rows.length",
    ],
    ["await of a function on the spot", "42", "await (async () => 41 + 1)()"],
    [
      "await before [, {, a template, an operator, a line end",
      "1,[object Object],x,-2,3",
      "[await [1][0], await { a: 1 }, await `x`, await -2, await\n3].join()",
    ],
    [
      "the right error is what is caught",
      "inner",
      'let seen = ""; try { await (async () => { throw new Error("inner"); })(); } catch (e) { seen = (e as Error).message; }\nseen',
    ],
    [
      "using",
      "in,gone",
      'const log: string[] = []; { using x = { [Symbol.dispose]() { log.push("gone"); } }; log.push("in"); }\nlog.join()',
    ],
    [
      "using at top level ends with the cell",
      "gone",
      "let state = 'there'; using held = { [Symbol.dispose]() { state = 'gone'; } }; held",
      "state",
    ],
    ["methods of ES2023", "123", '[3, 1, 2].toSorted().join("")'],
    [
      "inferred type predicates",
      "2",
      "const xs: (number | null)[] = [1, null, 2]; const ys: number[] = xs.filter((x) => x !== null); ys.length",
    ],
    [
      "a namespace whose members use each other",
      "12",
      "namespace Geo { export const pi = 3; export function area(r: number) { return pi * r * r; } }",
      "Geo.area(2)",
    ],
    [
      "an enum whose members use each other",
      "3",
      'enum Level { Low = "lo".length, High = Low + 1 }',
      "Level.High",
    ],
    ["export", "2", "export const x1 = 1; export function twice(n: number) { return 2 * n; }", "twice(x1)"],
    [
      "export default, and lists",
      "named 5",
      "export default function named() { return 'named'; } const five = 5; export { five as cinq };",
      "named() + ' ' + five",
    ],
    [
      "private members of class expressions",
      "3",
      "const P = class { #y = 1; private x = 2; sum() { return this.#y + this.x; } }",
      "new P().sum()",
    ],
    [
      "declare global",
      "yes",
      "declare global { interface Array<T> { shout(): string } }\nArray.prototype.shout = () => 'yes';",
      "[1].shout()",
    ],
    [
      "decorators of the standard",
      "HI",
      "function loud(method: () => string, _: ClassMethodDecoratorContext) { return function (this: unknown) { return method.call(this).toUpperCase(); }; }\nclass Voice { @loud say() { return 'hi'; } }",
      "new Voice().say()",
    ],
    [
      "mixins and values of local types",
      "base mixed",
      "type Ctor<T = object> = new (...args: any[]) => T; const Mixed = <B extends Ctor>(Base: B) => class extends Base { private mixed = 'mixed'; word() { return this.mixed; } }; class Base0 { base = 'base'; }",
      "const M = Mixed(Base0); const m = new M(); m.base + ' ' + m.word()",
    ],
    [
      "generators and for await",
      "6",
      "async function* upTo(n: number) { for (let i = 1; i <= n; i++) yield i; }",
      "let total = 0; for await (const one of upTo(3)) total += one; total",
    ],
    [
      "labels, and loops without a block",
      "0,1",
      "const pairs: number[] = []; outer: for (let i = 0; i < 3; i++) for (;;) { if (i === 2) break outer; pairs.push(i); break; }\npairs.join()",
    ],
    [
      "NoInfer and const type parameters",
      "a",
      "const pick = <const T extends string>(all: T[], one: NoInfer<T>): T => one; pick(['a', 'b'], 'a')",
    ],
  ])("%s", async (_, result, ...cells) => {
    expect(await last(...cells)).toBe(result);
  });

  it("and code that is not finished is told of in its own words", async () => {
    const { failure } = await kernel.execute("let a = Math.");
    expect(failure).toBe("TypeScriptError: 1:14 - Identifier expected.");
  });
});

describe("files beside the notebook", () => {
  const file = (name: string, text: string): void => writeFileSync(join(folder, name), text);

  it.each([
    [
      "d.json",
      '{ "n": 1 }',
      '{ "n": 2, "more": "text" }',
      'import d from "./d.json"; d.n',
      "(d as any).more.length + d.n",
      "6",
    ],
    [
      "h.mjs",
      "export const n = 1;",
      "export const n = 2;",
      'import { n as n1 } from "./h.mjs"; n1',
      "n1",
      "2",
    ],
    ["c.cjs", "exports.n = 1;", "exports.n = 2;", 'import c from "./c.cjs"; c.n', "c.n", "2"],
    [
      "m.mts",
      "export const typed: number = 1;",
      "export const typed: number = 2;",
      'import { typed as t } from "./m.mts"; t',
      "t",
      "2",
    ],
    [
      "u.cts",
      "export const old: number = 1;",
      "export const old: number = 2;",
      'import { old } from "./u.cts"; old',
      "old",
      "2",
    ],
  ])("%s is read again when it has changed", async (name, first, second, cell, then, result) => {
    file(name, first);
    expect(await last(cell)).toBe("1");
    file(name, second);
    expect(await last(`${cell.split(";")[0]}; ${then}`)).toBe(result);
  });

  it("a module is found that was made after its import had failed", async () => {
    expect(await last('import { later } from "./later"; later')).toMatch(/Cannot find module/);
    file("later.ts", "export const later = 7;");
    expect(await last('import { later } from "./later"; later')).toBe("7");
  });

  it("types are imported with and without the word, beside values, and may be used by later cells", async () => {
    file(
      "kinds.ts",
      "export class Kind { a = 1; }\nexport interface Shape { b: number }\nexport const value = 3;",
    );
    const cell = 'import { type Kind, Shape, value } from "./kinds"; const one: Shape = { b: value }; one.b';
    expect(await last(cell)).toBe("3");
    expect(await last("const other: Kind & Shape = { a: 1, b: 2 }; other.a")).toBe("1");
  });

  it("modules may await at their top level, and import each other", async () => {
    file("slow.ts", 'import { word } from "./word"; export const said = await Promise.resolve(word + "!");');
    file("word.ts", 'export const word = "hello";');
    expect(await last('import { said } from "./slow"; said')).toBe("hello!");
    file("word.ts", 'export const word = "bye";');
    expect(await last('import { said } from "./slow"; said')).toBe("bye!");
  });

  it("what CommonJS and ES modules know of themselves exists", async () => {
    expect(
      await last("[typeof require.resolve('node:fs'), __dirname, typeof module, typeof exports].join()"),
    ).toBe(`string,${folder},object,object`);
    expect(await last("[import.meta.dirname, import.meta.resolve('./word.ts')].join()")).toBe(
      `${folder},file://${folder}/word.ts`,
    );
  });
});

describe("what is shown", () => {
  it("once: kernel.display and kernel.show as the last expression", async () => {
    const { output } = await kernel.execute('kernel.display({ "text/plain": "here" })');
    expect(output.map(({ header }) => header.msg_type)).toEqual(["display_data"]);
    expect((await kernel.execute("kernel.show([1, 2])")).output.map(({ header }) => header.msg_type)).toEqual(
      ["display_data"],
    );
  });

  it("also by a kernel.show that nobody awaits", async () => {
    const { output } = await kernel.execute("kernel.show(1); kernel.show(2);\nconst quiet = 3;");
    expect(output.map(({ content }) => (content["data"] as object | undefined) ?? {})).toEqual([
      { "text/plain": "1" },
      { "text/plain": "2" },
    ]);
  });

  it("by kernel.stop: that the cell has ended well, and why", async () => {
    const answer = await kernel.execute(
      'console.log("before"); kernel.stop("no data"); console.log("after");',
    );
    expect(answer.failure).toBe("");
    expect(answer.text()).toBe("before\nStopped: no data\n");
    expect(answer.content["payload"]).toEqual([{ source: "stop", reason: "no data" }]);
  });
});

describe("errors", () => {
  it("of who writes as in IPython come with a hint", async () => {
    expect(await last("!ls -la")).toMatch(/execSync/);
    expect(await last("%time 1 + 1")).toMatch(/console\.time/);
  });

  it("that a cell logs name cells and lines, and no frame of the kernel or of Node", async () => {
    const answer = await kernel.execute(
      'function where() {\n  try { throw new Error("here"); } catch (e) { console.log((e as Error).stack); }\n}\nwhere()',
    );
    const n = answer.content["execution_count"];
    expect(answer.text()).toBe(`Error: here\n    at where (In [${n}]:2:15)\n    at In [${n}]:4:1\n`);
  });

  it("that come up through awaits name all of them, in functions, modules and cells, and show the cell's line", async () => {
    writeFileSync(
      join(folder, "fails.ts"),
      "export async function fails() {\n  await null;\n  throw new RangeError('deep');\n}",
    );
    const first = await kernel.execute(
      'import { fails } from "./fails";\nasync function middle() {\n  await fails();\n}',
    );
    const second = await kernel.execute("const n = 1;\nawait middle();");
    const [a, b] = [first, second].map(({ content }) => Number(content["execution_count"]));
    expect(second.traceback.split("\n").slice(0, 5)).toEqual([
      "RangeError: deep",
      "    at fails (fails.ts:3:9)",
      `    at async middle (In [${a}]:3:3)`,
      `    at async In [${b}]:2:1`,
      "",
    ]);
    expect(second.traceback).toContain("await fails();");
    const logged = await kernel.execute(
      "try { await middle(); } catch (e) { console.log((e as Error).stack); }",
    );
    expect(logged.text()).toMatch(/at async middle \(In \[\d+\]:3:3\)\n    at async In \[\d+\]:1:7\n$/);
  });

  it("of the engine speak of the names that were written", async () => {
    await last("let nothing: any; let five: any = 5;");
    expect(await last("five()")).toBe("TypeError: five is not a function");
    expect(await last('throw new Error("\u{1F469}\u200d\u{1F680}")')).toBe("Error: \u{1F469}\u200d\u{1F680}");
    expect(await last("nothing.a")).toBe("TypeError: Cannot read properties of undefined (reading 'a')");
    expect(await last("try { five(); } catch (e) { throw new Error((e as Error).message.trim()); }")).toMatch(
      /^Error: five.* is not a function$/,
    );
  });

  it("of a recursion are told once, not forty times", async () => {
    const { traceback } = await kernel.execute("function deep(): number { return deep() + 1; }\ndeep()");
    expect(traceback).toMatch(/the same \d+ times more/);
    expect(traceback.split("\n").length).toBeLessThan(15);
  });
});
