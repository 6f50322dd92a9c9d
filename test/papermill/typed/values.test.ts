import fc from "fast-check";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  accepts,
  coerce,
  findTranslator,
  fitValue,
  readText,
  typeText,
  type ParameterType,
  type ParameterValue,
} from "../../../src/papermill/index.js";

async function typeOf(source: string): Promise<ParameterType> {
  const declared = await findTranslator("", "typescript")?.inspect?.(`let x: ${source};`);
  const structure = declared?.[0]?.structure;
  if (!structure) throw new Error(`no type in ${source}`);
  return structure;
}

/** What is said about a value for `parameter x`, a line each. */
async function problems(type: string, value: ParameterValue): Promise<string[]> {
  const structure = await typeOf(type);
  return fitValue({ name: "x", structure }, { value }).problems.map(
    ({ path, message }) => `x${path}: ${message}`,
  );
}

describe("a value that is not of the declared type", () => {
  it.each<[string, ParameterValue, string[]]>([
    ["number", "7", ['x: got "7", expected number']],
    ["number", null, ["x: got null, expected number"]],
    ["boolean", 1, ["x: got 1, expected boolean"]],
    [
      "number",
      2n ** 70n,
      [`x: got ${2n ** 70n}n, expected number; it is beyond what a number holds exactly`],
    ],
    ["number[]", 7, ["x: got 7, expected number[]; write [7] for a list of one"]],
    ["number[]", [1, "2", 3, null], ['x[1]: got "2", expected number', "x[3]: got null, expected number"]],
    ["[number, string]", [1], ["x: got 1 element, expected [number, string]"]],
    ['"small" | "large"', "smal", ['x: got "smal", expected "small" | "large"; did you mean "small"?']],
    ['"small" | "large"', "zzz", ['x: got "zzz", expected "small" | "large"']],
    [
      "{ rate: number; decay?: number }",
      { decay: "x", rat: 1 },
      [
        "x.rate: is missing, expected number",
        'x.decay: got "x", expected number',
        "x.rat: is no field of { rate: number; decay?: number }; did you mean rate?",
      ],
    ],
    ["Record<string, number[]>", { "a b": [1, "c"] }, ['x["a b"][1]: got "c", expected number']],
    ["{ layers: number[] } | null", { layers: [true] }, ["x.layers[0]: got true, expected number"]],
  ])("is named with its place and what was expected: %s", async (type, value, lines) => {
    expect(await problems(type, value)).toEqual(lines);
  });

  it.each<[string, ParameterValue]>([
    ["number", NaN],
    ["number | null", null],
    ["number | undefined", undefined],
    ["{ a?: number }", {}],
    ["{ a?: number }", { a: undefined }],
    ["[number, string?]", [1]],
    ["unknown", { any: [1] }],
  ])("is not one of these: %s takes %o", async (type, value) => {
    expect(await problems(type, value)).toEqual([]);
  });
});

describe("text from a command line", () => {
  it.each<[string, string, ParameterValue]>([
    ["number", "7", 7],
    ["number", " -1e3 ", -1000],
    ["number", "inf", Infinity],
    ["string", "7", "7"],
    ["string", "true", "true"],
    ["string | number", "7", 7],
    ["boolean", "true", true],
    ["boolean", "False", false],
    ["boolean", "yes", true],
    ["boolean", "off", false],
    ["number | null", "null", null],
    ["number | null", "None", null],
    ["bigint", "7", 7n],
    ["bigint", "7n", 7n],
    ["bigint", "36893488147419103232", 2n ** 65n],
    ["number[]", "[1, 2.5]", [1, 2.5]],
    ["{ a: number }", "{a: 1}", { a: 1 }],
    ['"1" | "2"', "1", "1"],
    ["1 | 2", "1", 1],
  ])("is read as the declared type has it: %s from %o", async (type, text, value) => {
    expect(readText(await typeOf(type), text)).toEqual({ value });
  });

  it("may name a member of an enum", async () => {
    const source = "enum Level { Low, High }\nlet x: Level;";
    const [declared] = (await findTranslator("", "typescript")?.inspect?.(source)) ?? [];
    const type = declared?.structure ?? { kind: "any" };
    expect([readText(type, "High"), readText(type, "Level.Low"), readText(type, "1")]).toEqual([
      { value: 1 },
      { value: 0 },
      { value: 1 },
    ]);
  });

  it.each([
    ["number", "many"],
    ["number", ""],
    ["boolean", "1"],
    ["number[]", "1"],
    ["number", "null"],
    ["bigint", "1.5"],
  ])("has no meaning where the type takes none: %s from %o", async (type, text) => {
    expect(readText(await typeOf(type), text)).toBeUndefined();
  });
});

/** Types with a value of each. */
const typed = fc.letrec<{ pair: [ParameterType, ParameterValue] }>((tie) => ({
  pair: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc
      .string({ unit: "binary" })
      .map((value): [ParameterType, ParameterValue] => [{ kind: "string" }, value]),
    fc.double().map((value): [ParameterType, ParameterValue] => [{ kind: "number" }, value]),
    fc.boolean().map((value): [ParameterType, ParameterValue] => [{ kind: "boolean" }, value]),
    fc.bigInt().map((value): [ParameterType, ParameterValue] => [{ kind: "bigint" }, value]),
    fc.string().map((value): [ParameterType, ParameterValue] => [{ kind: "literal", value }, value]),
    fc.constant<[ParameterType, ParameterValue]>([{ kind: "undefined" }, undefined]),
    fc.array(tie("pair"), { maxLength: 4 }).map((pairs): [ParameterType, ParameterValue] => {
      const elements = pairs.map(([type]) => type);
      return [{ kind: "tuple", elements, required: elements.length }, pairs.map(([, value]) => value)];
    }),
    fc
      .dictionary(fc.string({ unit: "binary" }), tie("pair"), { maxKeys: 4, noNullPrototype: true })
      .map((entries): [ParameterType, ParameterValue] => {
        const fields = Object.entries(entries).map(([name, [type]]) => ({ name, type, optional: false }));
        const value = Object.fromEntries(Object.entries(entries).map(([name, [, each]]) => [name, each]));
        return [{ kind: "object", fields }, value];
      }),
    tie("pair").map(([type, value]): [ParameterType, ParameterValue] => {
      return [{ kind: "array", element: type }, [value, value]];
    }),
    fc.tuple(tie("pair"), tie("pair")).map(([[a, value], [b]]): [ParameterType, ParameterValue] => {
      return [{ kind: "union", members: [a, b] }, value];
    }),
  ),
})).pair;

const anything = fc.oneof(
  typed.map(([, value]) => value),
  fc.jsonValue() as fc.Arbitrary<ParameterValue>,
);

describe("whatever the type and the value", () => {
  it("a value of the type is accepted, and what is written for it means that value", () => {
    const translator = findTranslator("", "typescript");
    fc.assert(
      fc.property(typed, ([structure, value]) => {
        expect(accepts(structure, value)).toBe(true);
        const line = translator?.assign("x", value, { name: "x", structure, keyword: "var" });
        expect(structuredClone(runInNewContext(`${line} x`))).toEqual(value);
      }),
    );
  });

  it("putting a value into the declared form twice is the same as once, and never spoils one that fits", () => {
    fc.assert(
      fc.property(typed, anything, ([type], value) => {
        const once = coerce(type, value);
        expect(coerce(type, once)).toEqual(once);
        if (accepts(type, value)) expect(accepts(type, once)).toBe(true);
      }),
    );
  });

  it("text and values are read or refused, never with an error of another kind", () => {
    fc.assert(
      fc.property(typed, anything, fc.string({ unit: "binary" }), ([structure], value, text) => {
        const declared = { name: "x", structure };
        const { problems: said } = fitValue(declared, { value });
        expect(said.length === 0).toBe(accepts(structure, coerce(structure, value)));
        const read = fitValue(declared, { value: text, text });
        if (read.problems.length === 0) expect(accepts(structure, read.value)).toBe(true);
        for (const { message } of [...said, ...read.problems]) expect(message).not.toBe("");
        expect(typeText(structure)).not.toBe("");
      }),
    );
  });

  it("any cell, in TypeScript or Python, is read without an error", async () => {
    const noise = fc.string({ unit: fc.constantFrom(..."let x:=[]{}|&<>,;'\"`#/*\n1n\\$".split("")) });
    await fc.assert(
      fc.asyncProperty(noise, async (source) => {
        for (const language of ["typescript", "javascript", "python"]) {
          await findTranslator("", language)?.inspect?.(`let a: ${source} = 1;\n${source}`);
        }
      }),
    );
  });
});
