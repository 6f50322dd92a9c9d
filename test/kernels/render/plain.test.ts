import { describe, expect, it } from "vitest";
import { THIS_PACKAGE } from "../../../kernels/typescript/install/index.js";
import { render } from "../../../kernels/typescript/executor/render/index.js";
import { text } from "./show.js";

describe("the text of simple values", () => {
  it("is nothing for undefined and null", async () => {
    expect(await render(undefined)).toBeUndefined();
    expect(await render(null)).toBeUndefined();
  });

  it.each<[unknown, string]>([
    [42, "42"],
    [-0, "-0"],
    [NaN, "NaN"],
    [0.1 + 0.2, "0.30000000000000004"],
    [10n ** 20n, "100000000000000000000n"],
    [false, "false"],
    [Symbol("layer"), "Symbol(layer)"],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [new Date(NaN), "Invalid Date"],
    [/tox(ic)?/giu, "/tox(ic)?/giu"],
    [new Map([["a", [1]]]), "Map(1) { 'a' => [ 1 ] }"],
    [new Set([1, "b"]), "Set(2) { 1, 'b' }"],
    [Promise.resolve(3), "Promise { 3 }"],
    [new Promise(() => undefined), "Promise { <pending> }"],
    [{ a: { b: { c: { d: { e: { f: 1 } } } } } }, "{\n  a: {\n    b: { c: { d: { e: [Object] } } }\n  }\n}"],
  ])("of %o is what Node.js prints", async (value, expected) => {
    expect(await text(value)).toBe(expected);
  });

  it("of a URL has its parts", async () => {
    expect(await text(new URL("https://example.org/a?b=1"))).toContain("pathname: '/a'");
  });

  it("of a string is the string, bare and whole, also when it looks like HTML", async () => {
    expect(await text("two\nlines")).toBe("two\nlines");
    const long = "x".repeat(3_000_000);
    expect(await render(long)).toEqual({ data: { "text/plain": long }, metadata: {} });
    expect(await render("<b>bold</b>")).toEqual({ data: { "text/plain": "<b>bold</b>" }, metadata: {} });
  });

  it("of a string of many megabytes ends with how much is missing", async () => {
    const shownText = await text("y".repeat(9_000_000));
    expect(shownText.length).toBeLessThan(8_000_100);
    expect(shownText).toMatch(/… 1,000,000 more characters$/);
  });

  it("of a bigint of a million digits is its beginning, at once", async () => {
    expect(await text(-(1n << 4_000_000n))).toMatch(/^-0x10+… 999,901 more hexadecimal digits$/);
  });

  it("runs no getter", async () => {
    let runs = 0;
    await text({
      get counted() {
        runs += 1;
        return runs;
      },
    });
    expect(runs).toBe(0);
  });
});

describe("the text of functions and classes", () => {
  it("has the name and the first line of the source", async () => {
    expect(
      await text(function scale(vector: number[], by = 2) {
        return vector.map((x) => x * by);
      }),
    ).toMatch(/^\[Function: scale\]\nfunction scale\(vector, by = 2\) \{ …$/);
    const add = (a: number, b: number) => a + b;
    expect(await text(add)).toBe("[Function: add]\n(a, b) => a + b");
    expect(await text(Math.max)).toBe("[Function: max]");
  });

  it("has the methods of a class", async () => {
    class Animal {
      legs = 4;
    }
    class Dog extends Animal {
      get name() {
        return "Rex";
      }
      bark() {
        return 1;
      }
    }
    expect(await text(Dog)).toBe("[class Dog extends Animal]\n  get name, bark()");
    expect(await text(Animal)).toBe("[class Animal]");
  });
});

describe("the text of errors", () => {
  it("has message, stack and cause without frames of the kernel or of Node.js", async () => {
    const error = new TypeError("no layer 12", { cause: new Error("only 12 layers") });
    error.stack = [
      "TypeError: no layer 12",
      "    at cell (In[3]:2:7)",
      `    at runCell (${THIS_PACKAGE.folder}/dist/executor/run.js:10:3)`,
      "    at Script.runInThisContext (node:vm:129:12)",
      `    at async file://${THIS_PACKAGE.folder}/dist/executor/run.js:10:3`,
      "    at exports.execute (/opt/node_modules/tslab/dist/executor.js:5:1)",
      "    at lens (/opt/alignscope/dist/src/model/logit-lens.js:4:1)",
    ].join("\n");
    const shownText = await text(error);
    expect(shownText).toContain("TypeError: no layer 12\n    at cell (In[3]:2:7)\n    at lens (");
    expect(shownText).toContain("[cause]: Error: only 12 layers");
    expect(shownText).not.toMatch(/executor.run|node:vm|tslab/);
  });

  it("names what a class of errors adds", async () => {
    class MissingArtifact extends Error {
      override readonly name = "MissingArtifact";
      readonly artifact = "probe.json";
    }
    const shownText = await text(new MissingArtifact("run 3.1 first"));
    expect(shownText).toMatch(/^MissingArtifact: run 3\.1 first/);
    expect(shownText).toContain("artifact: 'probe.json'");
  });
});

describe("the text of numbers in arrays", () => {
  it("has kind, length, first values and range", async () => {
    expect(await text(Float32Array.of(1, 2))).toBe("Float32Array(2) [ 1, 2 ]");
    const large = await text(
      Float64Array.from({ length: 100_000 }, (_, index) => (index === 7 ? NaN : index)),
    );
    expect(large).toMatch(/^Float64Array\(100000\) \[/);
    expect(large).toContain("99900 more items");
    expect(large).toMatch(/\nmin 0, max 99999, 1 NaN$/);
    expect(await text(new BigInt64Array(20))).toMatch(/\nmin 0, max 0$/);
  });

  it("has the first bytes of buffers and their size", async () => {
    expect(await text(Buffer.alloc(2000))).toMatch(/^<Buffer 00 .* 1950 more bytes>\n2 kB$/);
    expect(await text(new ArrayBuffer(5000))).toContain("4900 more bytes");
  });
});

describe("what is large", () => {
  const bound = 120_000;
  const wide = (length: number): object =>
    Object.fromEntries(Array.from({ length }, (_, index) => [`key${index}`, { a: [index] }]));
  const deep = (levels: number): unknown =>
    levels === 0 ? 0 : Array.from({ length: 60 }, () => deep(levels - 1));

  it("shows the first items of an array and how many more there are", async () => {
    const shownText = await text(Array.from({ length: 1_000_000 }, (_, index) => index));
    expect(shownText).toContain("999900 more items");
  });

  it("shows the first keys of an object and how many more there are", async () => {
    const shownText = await text(wide(300_000));
    expect(shownText).toContain("key0: { a: [ 0 ] }");
    expect(shownText).toContain("299,800 more properties");
    expect(shownText.length).toBeLessThan(bound);
  });

  it.each<[string, () => unknown]>([
    ["arrays in arrays in arrays in arrays", () => deep(4)],
    ["wide objects inside an array", () => Array.from({ length: 50 }, () => wide(5000))],
    [
      "maps of sets",
      () => new Map(Array.from({ length: 500 }, (_, index) => [index, new Set(Array(500).keys())])),
    ],
    ["long strings", () => Array.from({ length: 100 }, () => "z".repeat(100_000))],
    ["sparse arrays", () => new Array(2 ** 31)],
  ])("bounds %s", async (_, make) => {
    const shownText = await text(make());
    expect(shownText.length).toBeLessThan(bound);
    expect(shownText.length).toBeGreaterThan(10);
  });

  it("bounds what prints itself", async () => {
    const loud = { [Symbol.for("nodejs.util.inspect.custom")]: () => "loud ".repeat(1_000_000) };
    expect((await text(loud)).length).toBeLessThan(bound);
  });

  it("follows cycles once", async () => {
    const node: Record<string, unknown> = { name: "root" };
    node["self"] = node;
    expect(await text(node)).toBe("<ref *1> { name: 'root', self: [Circular *1] }");
  });
});

describe("arrays of records", () => {
  it("are aligned tables, numbers to the right", async () => {
    const rows = [
      { word: "a", score: 0.123456789 },
      { word: "bcd", score: 12 },
      { word: "e", score: null },
    ];
    expect(await text(rows)).toBe(
      ["   word     score", "0  a     0.123457", "1  bcd         12", "2  e         null", "3 records"].join(
        "\n",
      ),
    );
  });

  it("show the first and the last of many", async () => {
    const shownText = await text(Array.from({ length: 5000 }, (_, layer) => ({ layer, seen: true })));
    expect(shownText.split("\n").length).toBe(63);
    expect(shownText).toContain("4999   4999  true");
    expect(shownText).toMatch(/\n5,000 records$/);
  });

  it("are printed as objects when their keys differ, nest or do not fit", async () => {
    expect(await text([{ a: 1 }, { b: 1 }, { a: 2 }])).toBe("[ { a: 1 }, { b: 1 }, { a: 2 } ]");
    expect(await text([{ a: [1] }, { a: [2] }, { a: [3] }])).toBe(
      "[ { a: [ 1 ] }, { a: [ 2 ] }, { a: [ 3 ] } ]",
    );
    const long = Array.from({ length: 3 }, () => ({ text: "w".repeat(90) }));
    expect(await text(long)).toContain("text: 'www");
  });
});
