import { describe, expect, it } from "vitest";
import { findTranslator, type ParameterValue, type Translator } from "../../src/papermill/index.js";
import { translatorNames } from "../../src/papermill/translators/languages.js";

function translator(name: string): Translator {
  const found = findTranslator("", name);
  if (!found) throw new Error(`no translator for ${name}`);
  return found;
}

type Row = [value: ParameterValue, literal: string];

/** What every C-like language of papermill writes alike. */
const ALIKE: Row[] = [
  ["foo", '"foo"'],
  ['{"foo": "bar"}', String.raw`"{\"foo\": \"bar\"}"`],
  ["é €\n", String.raw`"\xe9 \u20ac\n"`],
  [12345, "12345"],
  [-54321, "-54321"],
  [1.2345, "1.2345"],
  [-5432.1, "-5432.1"],
];
const LOWER: Row[] = [
  [true, "true"],
  [false, "false"],
];
const LONG: Row[] = [
  [2147483647, "2147483647"],
  [2147483648, "2147483648L"],
  [-2147483649, "-2147483649L"],
];

/** papermill's own tables, language by language. */
const LITERALS: Record<string, Row[]> = {
  python: [
    ...ALIKE,
    [{ foo: { bar: '"baz"' } }, String.raw`{"foo": {"bar": "\"baz\""}}`],
    [["foo", '"bar"'], String.raw`["foo", "\"bar\""]`],
    [[{ foo: "bar" }], '[{"foo": "bar"}]'],
    [true, "True"],
    [null, "None"],
    [NaN, "float('nan')"],
    [-Infinity, "float('-inf')"],
  ],
  R: [
    ...ALIKE,
    [{ foo: '"bar"' }, String.raw`list("foo" = "\"bar\"")`],
    [{ foo: ["bar"] }, 'list("foo" = list("bar"))'],
    [{ foo: { bar: "baz" } }, 'list("foo" = list("bar" = "baz"))'],
    [["foo", "bar"], 'list("foo", "bar")'],
    [true, "TRUE"],
    [false, "FALSE"],
    [null, "NULL"],
    [Infinity, "Inf"],
  ],
  scala: [
    ...ALIKE,
    ...LOWER,
    ...LONG,
    [{ foo: ["bar"] }, 'Map("foo" -> Seq("bar"))'],
    [{ foo: { bar: '"baz"' } }, String.raw`Map("foo" -> Map("bar" -> "\"baz\""))`],
    [[{ foo: "bar" }], 'Seq(Map("foo" -> "bar"))'],
    [null, "None"],
  ],
  julia: [
    ...ALIKE,
    ...LOWER,
    [{ foo: ["bar"] }, 'Dict("foo" => ["bar"])'],
    [{ foo: { bar: "baz" } }, 'Dict("foo" => Dict("bar" => "baz"))'],
    [[{ foo: "bar" }], '[Dict("foo" => "bar")]'],
    [null, "nothing"],
  ],
  matlab: [
    ...LOWER,
    ["foo", '"foo"'],
    ['{"foo": "bar"}', '"{""foo"": ""bar""}"'],
    [{ foo: { bar: '"baz"' } }, `containers.Map({'foo'}, {containers.Map({'bar'}, {"""baz"""})})`],
    [{ "a'b": 1, c: ["d"] }, `containers.Map({'a''b', 'c'}, {1, {"d"}})`],
    [["foo", '"bar"'], '{"foo", """bar"""}'],
    [1.2345, "1.2345"],
    [null, "NaN"],
  ],
  ".net-csharp": [
    ...ALIKE,
    ...LOWER,
    ...LONG,
    [{ foo: '"bar"' }, String.raw`new Dictionary<string,Object>{ { "foo" , "\"bar\"" } }`],
    [[{ foo: "bar" }], 'new [] { new Dictionary<string,Object>{ { "foo" , "bar" } } }'],
    [["foo", "bar"], 'new [] { "foo", "bar" }'],
  ],
  ".net-fsharp": [
    ...ALIKE,
    ...LOWER,
    ...LONG,
    [{ foo: "bar" }, '[ ("foo", "bar" :> IComparable) ] |> Map.ofList'],
    [["foo", '"bar"'], String.raw`[ "foo"; "\"bar\"" ]`],
    [[{ foo: "bar" }], '[ [ ("foo", "bar" :> IComparable) ] |> Map.ofList ]'],
    [null, "None"],
  ],
  ".net-powershell": [
    ["foo", '"foo"'],
    ['{"foo": "bar"}', '"{`"foo`": `"bar`"}"'],
    [{ foo: { bar: '"baz"' } }, '@{"foo" = @{"bar" = "`"baz`""}}'],
    [{ a: 1, b: 2 }, '@{"a" = 1\n "b" = 2}'],
    [["foo", '"bar"'], '@("foo", "`"bar`"")'],
    [-5432.1, "-5432.1"],
    [NaN, "[double]::NaN"],
    [-Infinity, "[double]::NegativeInfinity"],
    [Infinity, "[double]::PositiveInfinity"],
    [true, "$True"],
    [false, "$False"],
    [null, "$Null"],
  ],
  bash: [
    ["foo", "foo"],
    ["foo space", "'foo space'"],
    ["foo's apostrophe", `'foo'"'"'s apostrophe'`],
    ["", "''"],
    ["a/b-c.d", "a/b-c.d"],
    ["é", "'é'"],
    [["foo", "b r"], "(foo 'b r')"],
    [12345, "12345"],
    [true, "true"],
    [null, ""],
  ],
};

const rows = Object.entries(LITERALS).flatMap(([language, table]) =>
  table.map(([value, literal]): [string, ParameterValue, string] => [language, value, literal]),
);

describe("values are written as papermill writes them", () => {
  it.each(rows)("in %s: %j", (language, value, literal) => {
    expect(translator(language).literal(value)).toBe(literal);
  });

  it.each([
    ["python", "# Parameters", 'foo = "bar"'],
    ["R", "# Parameters", 'foo = "bar"'],
    ["scala", "// Parameters", 'val foo = "bar"'],
    ["julia", "# Parameters", 'foo = "bar"'],
    ["matlab", "% Parameters", 'foo = "bar";'],
    [".net-csharp", "// Parameters", 'var foo = "bar";'],
    [".net-fsharp", "(* Parameters *)", 'let foo = "bar"'],
    [".net-powershell", "# Parameters", '$foo = "bar"'],
    ["bash", "# Parameters", "foo=bar"],
    ["javascript", "// Parameters", 'const foo = "bar";'],
  ])("in %s with its comment and its assignment", (language, comment, assignment) => {
    expect(translator(language).comment("Parameters")).toBe(comment);
    expect(translator(language).assign("foo", "bar", undefined)).toBe(assignment);
  });

  it("and R loses the underscores that its names cannot begin with", () => {
    expect(translator("R").assign("___foo", 5, undefined)).toBe("foo = 5");
    expect(["___foo", "a.b", ".x"].every((name) => translator("R").isName(name))).toBe(true);
    expect(["_", "1a", ".1", "a-b"].some((name) => translator("R").isName(name))).toBe(false);
  });

  it("and what a language cannot say is refused in one line", () => {
    expect(() => translator(".net-csharp").literal(null)).toThrow(/^null \(None\) cannot be written in C#/);
    expect(() => translator("bash").literal({ a: 1 })).toThrow(/^a mapping cannot be written in Bash/);
  });

  it("and Spark's kernels write their languages", () => {
    expect(findTranslator("pysparkkernel", "")).toBe(translator("python"));
    expect(findTranslator("sparkkernel", "")).toBe(translator("scala"));
    expect(findTranslator("sparkrkernel", "")).toBe(translator("R"));
    expect(translatorNames()).toHaveLength(14);
  });
});

describe("a Python parameters cell", () => {
  it.each([
    ["a = 1", { name: "a", defaultSource: "1" }],
    [
      "a: float = 2.25  # Variable a",
      { name: "a", type: "float", defaultSource: "2.25", help: "Variable a" },
    ],
    ["b = 'x'  # type: str A text", { name: "b", type: "str", defaultSource: "'x'", help: "A text" }],
    ["c: 'List[str]' = []", { name: "c", type: "List[str]", defaultSource: "[]" }],
    ["d = [ # first\n  1, # one\n  2\n]  # A list", { name: "d", defaultSource: "[1,2]", help: "A list" }],
  ])("%j is understood", async (source, expected) => {
    expect(await translator("python").inspect?.(source)).toMatchObject([expected]);
  });

  it("is left alone where it is not plain", async () => {
    expect(await translator("python").inspect?.("# no\n\nprint(1)\nobject.x = 1")).toEqual([]);
  });
});
