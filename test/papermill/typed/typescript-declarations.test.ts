import { describe, expect, it } from "vitest";
import { findTranslator, typeText, type DeclaredParameter } from "../../../src/papermill/index.js";

async function read(source: string, language = "typescript"): Promise<DeclaredParameter[]> {
  return (await findTranslator("", language)?.inspect?.(source)) ?? [];
}

async function one(source: string, language?: string): Promise<DeclaredParameter> {
  const last = (await read(source, language)).at(-1);
  if (!last) throw new Error("nothing was declared");
  return last;
}

/** The structured type of the last variable, written out. */
async function typeOf(source: string, language?: string): Promise<string> {
  const { structure } = await one(source, language);
  return structure ? typeText(structure) : "none";
}

describe("the type of a parameter in a TypeScript cell", () => {
  it.each([
    ["let x: number;", "number"],
    ["let x: readonly string[] = [];", "string[]"],
    ["let x: Array<number | null>;", "(number | null)[]"],
    ["let x: [width: number, height?: number];", "[number, number?]"],
    ["let x: [string, ...number[]];", "[string, ...number[]]"],
    ['let x: "small" | "large" | null;', '"small" | "large" | null'],
    ["let x: -1 | 0 | 1;", "-1 | 0 | 1"],
    ["let x: number | undefined;", "number | undefined"],
    ["let x: bigint;", "bigint"],
    ["let x: Record<string, number>;", "Record<string, number>"],
    ['let x: Record<"a" | "b", number>;', "{ a: number; b: number }"],
    ["let x: { rate: number; decay?: readonly number[] };", "{ rate: number; decay?: number[] }"],
    ["let x: Partial<{ a: number }>;", "{ a?: number }"],
    ['let x: Omit<{ a: number; b: string }, "a">;', "{ b: string }"],
    ["let x: NonNullable<string | null>;", "string"],
    ["let x: { a: number } & { b: string };", "{ a: number; b: string }"],
    ["let x: () => void;", "any"],
    ["let x: Date;", "any"],
  ])("%s is read as %s", async (source, type) => {
    expect(await typeOf(source)).toBe(type);
  });

  it.each([
    ["an alias", 'type Size = "small" | "large"; let x: Size;', '"small" | "large"'],
    ["an alias with parameters", "type Maybe<T> = T | null; let x: Maybe<number>[];", "(number | null)[]"],
    [
      "an interface with a parent",
      "interface A { a: number } interface B extends A { b?: string } let x: B;",
      "{ a: number; b?: string }",
    ],
    ["an enum", 'enum Size { Small = "small", Large = "large" } let x: Size;', '"small" | "large"'],
    ["an enum of numbers", "enum Level { Low, High = 5, Top } let x: Level;", "0 | 5 | 6"],
    [
      "a constant list",
      'const sizes = ["small", "large"] as const; let x: (typeof sizes)[number];',
      '"small" | "large"',
    ],
    [
      "the keys of a constant",
      "const rates = { slow: 1, fast: 2 }; let x: keyof typeof rates;",
      '"slow" | "fast"',
    ],
    ["a type within itself", "type Tree = { left: Tree | null }; let x: Tree;", "{ left: any }"],
  ])("is followed through %s of the same cell", async (_, source, type) => {
    expect(await typeOf(source)).toBe(type);
  });

  it.each([
    ["const x = 3;", "number"],
    ['const x = ["a", 1];', "(string | number)[]"],
    ["const x = 5n;", "bigint"],
    ["const x = { a: 1 };", "{ a: number; [key: string]: any }"],
    ["const x = null;", "any"],
    ["const x = 2 * 3;", "any"],
    ['const x = "small" as "small" | "large";', '"small" | "large"'],
  ])("without an annotation follows from the default: %s", async (source, type) => {
    expect(await typeOf(source)).toBe(type);
  });

  it("lists the choices, of a list those of its elements", async () => {
    expect((await one('let x: "a" | "b" | undefined;')).choices).toEqual(["a", "b"]);
    expect((await one('let x: ("a" | "b")[];')).choices).toEqual(["a", "b"]);
    expect((await one('let x: "a" | number;')).choices).toBeUndefined();
  });

  it("in JavaScript is that of a doc comment, else of the default", async () => {
    expect(await typeOf('/** @type {"a" | "b"} */\nlet x = "a";', "javascript")).toBe('"a" | "b"');
    expect(await typeOf("let x = true;", "javascript")).toBe("boolean");
  });
});

describe("the default of a parameter", () => {
  it.each<[string, unknown]>([
    ['"a"', "a"],
    ["`a`", "a"],
    ["-1.5e3", -1500],
    ["NaN", NaN],
    ["-Infinity", -Infinity],
    ["-5n", -5n],
    ["undefined", undefined],
    [
      '{ a: [1, null], "b-c": { ["__proto__"]: true } }',
      JSON.parse('{"a":[1,null],"b-c":{"__proto__":true}}'),
    ],
  ])("%s is a value", async (source, value) => {
    const declared = await one(`let x = ${source};`);
    expect(declared).toHaveProperty("default");
    expect(declared.default).toEqual(value);
  });

  it("may name a constant or a member of an enum of the cell", async () => {
    expect((await one("const a = 2; const b = a;")).default).toBe(2);
    expect((await one('enum Size { Small = "small" } let x = Size.Small;')).default).toBe("small");
  });

  it.each(["a / 2", "process.env.HOME", "`a${b}`", "[...other]", "x", "{ [key]: 1 }"])(
    "%s has to be computed: only its source is known",
    async (source) => {
      const declared = await one(`const x = ${source};`);
      expect(declared).not.toHaveProperty("default");
      expect(declared.defaultSource).toBe(source);
    },
  );
});

describe("the documentation of a parameter", () => {
  it("is its whole doc comment and the comment at the end of its line", async () => {
    const source = [
      "/**",
      " * How many.",
      " *",
      " * More is slower.",
      " * @example 3",
      " */",
      "const count: number = 3; // at most 9",
    ].join("\n");
    expect((await one(source)).help).toBe("How many.\n\nMore is slower.\n@example 3\nat most 9");
  });

  it("of several variables in a statement is each one's own", async () => {
    const declared = await read("let a = 1, // first\n  b = 2; // second\nlet c = 3;");
    expect(declared.map(({ help }) => help)).toEqual(["first", "second", undefined]);
  });
});
