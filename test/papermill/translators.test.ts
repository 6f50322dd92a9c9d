import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runInNewContext } from "node:vm";
import {
  findTranslator,
  registerTranslator,
  type ParameterValue,
  type Translator,
} from "../../src/papermill/index.js";

function translator(name: string): Translator {
  const found = findTranslator("", name);
  if (!found) throw new Error(`no translator for ${name}`);
  return found;
}
const typescript = translator("typescript");
const javascript = translator("javascript");
const python = translator("python");

describe("the TypeScript translator", () => {
  it.each<[ParameterValue, string]>([
    ['a "b" \\ \n', '"a \\"b\\" \\\\ \\n"'],
    ["\u2028\u2029</script>", '"\\u2028\\u2029<\\/script>"'],
    [NaN, "NaN"],
    [-Infinity, "-Infinity"],
    [-0, "-0"],
    [12n ** 20n, `${12n ** 20n}n`],
    [null, "null"],
    [undefined, "undefined"],
    [[1, [true, "x"], {}], '[1, [true, "x"], {}]'],
    [{ a: 1, "b-c": { d: [] }, ä: null }, '{ a: 1, "b-c": { d: [] }, ä: null }'],
    [JSON.parse('{"__proto__": 1}') as ParameterValue, '{ ["__proto__"]: 1 }'],
  ])("writes a value ($#) in its own spelling", (value, literal) => {
    expect(typescript.literal(value)).toBe(literal);
  });

  it("writes literals that mean the value they were made from", () => {
    const leaf = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.bigInt(),
    );
    const values = fc.letrec<{ value: ParameterValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie("value")),
        fc.dictionary(fc.string({ unit: "binary" }), tie("value"), { noNullPrototype: true }),
      ),
    })).value;
    fc.assert(
      fc.property(values, (value) => {
        // Cloned, since another context's arrays are not this one's.
        expect(structuredClone(runInNewContext(`(${typescript.literal(value)})`))).toEqual(value);
      }),
    );
  });

  it("keeps the keyword and the type that the parameters cell declares", async () => {
    const declared = await typescript.inspect?.(`
/** How many. */
const count: number = 3;
let size: "small" | "large" = "small", other = [1];
const { x } = { x: 1 };
`);
    expect(declared).toMatchObject([
      { name: "count", keyword: "const", type: "number", defaultSource: "3" },
      { name: "size", keyword: "let", type: '"small" | "large"', defaultSource: '"small"' },
      { name: "other", keyword: "let", type: undefined, defaultSource: "[1]" },
    ]);
    const lines = ["count", "size", "new"].map((name) =>
      typescript.assign(
        name,
        "large",
        declared?.find((each) => each.name === name),
      ),
    );
    expect(lines).toEqual([
      'const count: number = "large";',
      'let size: "small" | "large" = "large";',
      'const new = "large";',
    ]);
    expect(javascript.assign("size", 1, declared?.[1])).toBe("let size = 1;");
  });

  it("knows which names a variable cannot have", () => {
    expect(["a", "$b", "ärger", "_1"].every((name) => typescript.isName(name))).toBe(true);
    expect(["1a", "a-b", "class", "a b", "", "a;b"].some((name) => typescript.isName(name))).toBe(false);
  });
});

describe("the Python translator", () => {
  it.each<[ParameterValue, string]>([
    ['say "hi" \\ \n\t', '"say \\"hi\\" \\\\ \\n\\t"'],
    ["é€😀\x00", '"\\xe9\\u20ac\\U0001f600\\x00"'],
    [true, "True"],
    [null, "None"],
    [NaN, "float('nan')"],
    [-Infinity, "float('-inf')"],
    [2n ** 70n, "1180591620717411303424"],
    [{ a: [1, 2.5, "x"] }, '{"a": [1, 2.5, "x"]}'],
  ])("writes a value ($#) in its own spelling", (value, literal) => {
    expect(python.literal(value)).toBe(literal);
  });

  it("reads names, annotations and defaults from a parameters cell", async () => {
    expect(await python.inspect?.("a = 1\nb: int = 2  # help\nif a == 1:\n    c = 3\n")).toEqual([
      { name: "a", type: undefined, defaultSource: "1" },
      { name: "b", type: "int", defaultSource: "2", structure: { kind: "integer" }, help: "help" },
    ]);
  });
});

describe("the registry of translators", () => {
  it("looks up the kernel's name before its language", () => {
    registerTranslator("My-Kernel", python);
    expect(findTranslator("my-kernel", "typescript")).toBe(python);
    expect(findTranslator("another", "TypeScript")).toBe(typescript);
    expect(findTranslator("another", "cobol")).toBeUndefined();
  });
});
