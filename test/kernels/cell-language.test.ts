import { afterAll, beforeAll, expect, it } from "vitest";
import { endSessions, KernelSession } from "./kernel-session.js";

let kernel: KernelSession;
beforeAll(async () => void (kernel = await KernelSession.start()));
afterAll(endSessions);

/** Results of cells that are run one after the other; of one that fails, how. */
async function run(...cells: string[]): Promise<(string | undefined)[]> {
  const results: (string | undefined)[] = [];
  for (const code of cells) {
    const { failure, result } = await kernel.execute(code);
    results.push(failure || result);
  }
  return results;
}

const last = async (...cells: string[]): Promise<string | undefined> => (await run(...cells)).at(-1);

it("a shorthand property, and keys in patterns, named like a variable of an earlier cell", async () => {
  expect(
    await run(
      "const name = 'Ada'; const size = 3; const box = { name: 'in the box', size: 7 };",
      "const { name: label, size: n } = box; [label, n].join()",
      "({ name, size })",
      "const pick = ({ name, size = 1 }: { name: string; size?: number }) => name + size; pick({ name: 'x' })",
      "let other = ''; ({ name: other } = box); other",
      "box.name + name",
    ),
  ).toEqual([undefined, "in the box,7", "{ name: 'Ada', size: 3 }", "x1", "in the box", "in the boxAda"]);
});

it("names can be declared again, with another type and as another thing", async () => {
  expect(
    await run(
      "const again = 1;",
      "const again = 'text'; again.length",
      "let again = [1]; again[0]",
      "function again() { return 5; }\nagain()",
      "class again {}\ntypeof again",
    ),
  ).toEqual([undefined, "4", "1", "5", "function"]);
});

it("await at top level, also in a loop, for await, and values that go on living", async () => {
  expect(
    await run(
      "const waited = await Promise.resolve(4); waited",
      "let sum = 0; for (const p of [1, 2]) sum += await Promise.resolve(p); sum",
      "async function* three() { yield 1; yield 2; yield 3; }\nlet total = 0;\nfor await (const one of three()) total += one;\ntotal",
      "total + waited",
    ),
  ).toEqual(["4", "3", "6", "10"]);
});

it("enums, namespaces, classes, types and interfaces across cells", async () => {
  expect(
    await run(
      "enum Colour { Red = 1, Green }\nconst enum Size { Big = 9 }\nnamespace Tools { export const twice = (n: number) => 2 * n; }",
      "`${Colour[2]}${Colour.Red}${Tools.twice(4)}`",
      "class Base { constructor(readonly n: number) {} get next() { return this.n + 1; } }\ninterface Named { name: string }\ntype Both = Named & { n: number };",
      "class Derived extends Base { #hidden = 1; static made = 0; sum() { return this.next + this.#hidden; } }\nnew Derived(1).sum()",
      "const both: Both = { name: 'b', n: 1 }; both.name",
      "const wrong: Both = { name: 'b' };",
    ),
  ).toEqual([
    undefined,
    "Green18",
    undefined,
    "3",
    "b",
    expect.stringMatching(/^TypeScriptError: 1:7 - .*\n.*Property 'n' is missing/),
  ]);
});

it("decorators", async () => {
  const decorated = `function upper(target: any, key: string) { target[key + "Upper"] = key.toUpperCase(); }
class Marked { @upper field = 1; }
(new Marked() as any).fieldUpper`;
  expect(await last(decorated)).toBe("FIELD");
});

it("a type error is told before any code of the cell runs, with its line and the lines around it", async () => {
  const answer = await kernel.execute(
    'console.log("ran");\nconst fine = 1;\nconst count: number = "many";\nfine',
  );
  expect(answer.text()).toBe("");
  expect(answer.failure).toBe("TypeScriptError: 3:7 - Type 'string' is not assignable to type 'number'.");
  const number = answer.content["execution_count"];
  expect(answer.traceback).toContain(`In [${number}]:3:7 - error TS2322: Type 'string'`);
  expect(answer.traceback).toContain('> 3 | const count: number = "many";\n    |       ^^^^^');
  // The cell has declared nothing either.
  expect(await last("typeof fine")).toMatch(/^TypeScriptError.*fine|^undefined$/);
});

it("several type errors are told at once", async () => {
  const { failure } = await kernel.execute("const a1: number = '';\nconst a2: string = 2;");
  expect(failure).toMatch(/1:7 - .*; 2:7 - /);
});

it("an error at run time has the lines of its cell, also after lines that are only types and in earlier cells", async () => {
  const first = await kernel.execute(`interface Only {
  types: string;
}
type More = Only | undefined;
function fails(value: More): never {
  throw new RangeError("in a function");
}`);
  const second = await kernel.execute("\ninterface Again {\n  a: 1;\n}\nfails(undefined)");
  const [a, b] = [first, second].map(({ content }) => content["execution_count"]);
  expect(second.failure).toBe("RangeError: in a function");
  expect(second.traceback).toMatch(new RegExp(`at fails \\(In \\[${a}\\]:6:9\\)\\s+at In \\[${b}\\]:5:1`));
  expect(second.traceback).toContain('> 6 |   throw new RangeError("in a function");');
  expect(second.traceback).not.toMatch(/evalmachine|node:vm|tslab/);
});

it("the lines of an error after an await, and in a callback", async () => {
  const answer = await kernel.execute("await null;\n\n[1].map((n) => {\n  throw new Error(`at ${n}`);\n});");
  expect(answer.traceback).toMatch(/In \[\d+\]:4:9/);
});

it("the causes of an error are told", async () => {
  const answer = await kernel.execute(
    'const low = new TypeError("the cause");\nthrow new Error("the effect", { cause: new RangeError("between", { cause: low }) });',
  );
  expect(answer.failure).toBe("Error: the effect");
  expect(answer.traceback).toMatch(/\[cause\]: RangeError: between[\s\S]*\[cause\]: TypeError: the cause/);
});

it.each([
  ["'text'", "'text'"],
  ["5", "5"],
  ["undefined", "undefined"],
  ["null", "null"],
  ["{ code: 7 }", "{ code: 7 }"],
  ["Object.create(null)", "[Object: null prototype] {}"],
])("something thrown that is no error: %s", async (thrown, told) => {
  const answer = await kernel.execute(`throw ${thrown};`);
  expect(answer.failure).toBe(`Thrown: ${told}`);
  expect(answer.of("error")).toHaveLength(1);
});

it("an error that refuses to be looked at does not harm the kernel", async () => {
  const hostile =
    "class Hostile extends Error { get message(): string { throw 1; } get stack(): string { throw 2; } get name(): string { throw 3; } }\nthrow new Hostile()";
  expect((await kernel.execute(hostile)).content["status"]).toBe("error");
  const proxy =
    'throw new Proxy({}, { get() { throw new Error("no"); }, getPrototypeOf() { throw new Error("no"); } });';
  expect((await kernel.execute(proxy)).content["status"]).toBe("error");
  expect(await last("1 + 1")).toBe("2");
});

it("a cell that fails keeps what earlier cells have declared", async () => {
  expect(
    await run("const survivor = 1;", "const survivor = 'new'; throw new Error('x')", "survivor"),
  ).toEqual([undefined, "Error: x", expect.stringMatching(/^(1|new)$/)]);
});

it("syntax newer than tslab's promise: using what TypeScript 5.0 knows", async () => {
  expect(
    await run(
      "function first<const T extends readonly unknown[]>(list: T): T[0] { return list[0]; }\nconst one: 1 = first([1, 2]); one",
      "const checked = { a: 1 } satisfies Record<string, number>; checked.a",
      "const big = 2n ** 64n; big",
      "[3, 1, 2].at(-1)",
    ),
  ).toEqual(["1", "1", "18446744073709551616n", "2"]);
});

it("tslab's own display works, with updates", async () => {
  const { output, failure } = await kernel.execute(`import { display, newDisplay } from "tslab";
display.html("<b>bold</b>");
display.markdown("*md*");
display.png(new Uint8Array([137, 80, 78, 71]));
const shown = newDisplay();
shown.text("before");
shown.text("after");`);
  expect(failure).toBe("");
  const seen = output.map(({ header, content }) => [header.msg_type, content["data"]]);
  expect(seen).toEqual([
    ["display_data", { "text/html": "<b>bold</b>" }],
    ["display_data", { "text/markdown": "*md*" }],
    ["display_data", { "image/png": "iVBORw==" }],
    ["display_data", { "text/plain": "before" }],
    ["update_display_data", { "text/plain": "after" }],
  ]);
  const ids = output
    .slice(3)
    .map(({ content }) => (content["transient"] as { display_id: string }).display_id);
  expect(new Set(ids).size).toBe(1);
});

it("cells that are modules by tslab's @module", async () => {
  expect(
    await run(
      "/** @module shared */\nexport const value = 1;\nexport type Kind = 'a' | 'b';",
      'import { value, type Kind } from "./shared"; const kind: Kind = "a"; kind + value',
      "/** @module shared */\nexport const value = 2;\nexport type Kind = 'c';",
      'import { value } from "./shared"; value',
    ),
  ).toEqual([undefined, "a1", undefined, "2"]);
});

it("a cell that is empty, or a comment alone, is fine", async () => {
  for (const code of ["", "  \n", "// nothing", "/* nothing\n at all */", "/* again and */ ".repeat(40)]) {
    const answer = await kernel.execute(code);
    expect([answer.failure, answer.output]).toEqual(["", []]);
  }
  expect((await kernel.execute(`${"/* a comment */ ".repeat(40)}1`)).result).toBe("1");
});

it("what kernel.html and its like make is shown as that", async () => {
  const { messages } = await kernel.execute('kernel.html("<b>bold</b>")');
  const [shown] = messages.filter(({ header }) => header.msg_type === "execute_result");
  expect(shown?.content["data"]).toMatchObject({ "text/html": "<b>bold</b>" });
});
