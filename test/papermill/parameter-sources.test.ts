import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { collectParameters, inferValue, yamlParameters } from "../../src/papermill/index.js";

const folder = mkdtempSync(join(tmpdir(), "parameters-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("-p NAME VALUE", () => {
  it.each([
    ["True", true],
    ["False", false],
    ["None", null],
    ["10", 10],
    ["-5", -5],
    ["1_000", 1000],
    [" 7 ", 7],
    ["12.51", 12.51],
    ["1e3", 1000],
    ["nan", NaN],
    ["-inf", -Infinity],
    ["9007199254740993", 9007199254740993n],
    ["true", "true"],
    ["null", "null"],
    ["0x10", "0x10"],
    ["1,5", "1,5"],
    ["", ""],
    ["😍", "😍"],
  ])("takes %o as papermill does", (text, value) => {
    expect(inferValue(text)).toEqual(value);
  });
});

describe("YAML parameters", () => {
  it("are YAML 1.1: yes and off are booleans, but dates stay text", () => {
    expect(
      yamlParameters("{a: yes, b: off, c: 2019-01-01, d: 1_000, e: [1, {f: null}], g: .inf}", "x"),
    ).toEqual({
      a: true,
      b: false,
      c: "2019-01-01",
      d: 1000,
      e: [1, { f: null }],
      g: Infinity,
    });
  });

  it("may be nothing but a comment, or JSON", () => {
    expect(yamlParameters("# none", "x")).toEqual({});
    expect(yamlParameters('{"a": [1, "2"]}', "x")).toEqual({ a: [1, "2"] });
  });

  it.each(["[1]", "text", "{a: !!set {b}}"])("that are %s are refused by name", (text) => {
    expect(() => yamlParameters(text, "p.yaml")).toThrow(/^p\.yaml/);
  });

  it("that are broken are refused in one line", () => {
    expect(() => yamlParameters("{a: [", "p.yaml")).toThrow(/^p\.yaml is not YAML \([^\n]+\)$/);
  });
});

describe("sources of parameters", () => {
  it("win over each other in papermill's order, values as a whole", () => {
    const all = {
      base64: [base64("{a: base64, b: base64, nested: {x: 1, y: 2}}")],
      files: [file("p.yaml", "b: file\nc: file"), file("p.json", '{"c": "json"}')],
      yaml: ["{c: yaml, d: yaml, nested: {x: 3}}"],
      typed: [
        ["d", "1"],
        ["e", "1"],
      ] as const,
      raw: [["e", "1"]] as const,
    };
    expect(collectParameters(all)).toEqual({
      a: "base64",
      b: "file",
      c: "yaml",
      d: 1,
      e: "1",
      nested: { x: 3 },
    });
    expect(collectParameters({ files: all.files })).toEqual({ b: "file", c: "json" });
  });

  it("that are missing files are named", () => {
    expect(() => collectParameters({ files: [join(folder, "none.yaml")] })).toThrow(/none\.yaml/);
  });
});
