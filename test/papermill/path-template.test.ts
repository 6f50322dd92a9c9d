import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { executeNotebook, MissingParameterError, type Parameters } from "../../src/papermill/index.js";
import {
  formatPath,
  type Formattable,
  formatValue,
  withBuiltins,
} from "../../src/papermill/path-template.js";
import { notebookOf } from "./notebooks.js";

const folder = mkdtempSync(join(tmpdir(), "path-template-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a path with parameters in it", () => {
  it.each<[path: string, parameters: Parameters, filled: string]>([
    ["foo/bar", {}, "foo/bar"],
    ["foo/bar", { baz: "quux" }, "foo/bar"],
    ["foo/bar/{baz}", { baz: "quux" }, "foo/bar/quux"],
    ["foo/bar/{baz}", { baz: false }, "foo/bar/False"],
    ["foo/{bar[baz]}/", { bar: { baz: "quux" } }, "foo/quux/"],
    ["foo/{bar[0]}/", { bar: [1, 2, 3] }, "foo/1/"],
    ["foo/{bar[2]}/", { bar: [1, 2, 3] }, "foo/3/"],
    ["foo/{a[b][1]}", { a: { b: [1, "x"] } }, "foo/x"],
    ["foo/bar/{baz}", { baz: null }, "foo/bar/None"],
    ["foo/bar/{baz}", { baz: 42 }, "foo/bar/42"],
    ["foo/bar/{baz:03d}", { baz: 42 }, "foo/bar/042"],
    ["foo/bar/{baz:.03f}", { baz: 0.3 }, "foo/bar/0.300"],
    ["{foo}/{baz}", { foo: "bar", baz: "quux" }, "bar/quux"],
    ["{{foo}}/{foo}", { foo: "bar" }, "{foo}/bar"],
    ["{foo!r}", { foo: "bar" }, "'bar'"],
    ["{foo}", { foo: [1, "a", { b: null }] }, "[1, 'a', {'b': None}]"],
  ])("%s of %j", (path, parameters, filled) => {
    expect(formatPath(path, parameters)).toBe(filled);
  });

  it.each(["{foo}", "{d[foo]}", "{l[3]}", "{s[foo]}"])("says which parameter is missing in %s", (path) => {
    const parameters = { d: {}, l: [1], s: "text" };
    expect(() => formatPath(path, parameters)).toThrow(MissingParameterError);
    expect(() => formatPath(path, parameters)).toThrow(/^Missing parameter '(foo|3)'$/);
  });

  it.each(["{", "a}", "{}", "{0}", "{d.foo}", "{s:d}", "{l:03d}", "{s:what}"])("refuses %s", (path) => {
    expect(() => formatPath(path, { d: { foo: 1 }, l: [1], s: "text" })).toThrow(/^the (path|format)[^\n]*$/);
  });

  it("knows the run's id and its begin, unless a parameter is called pm", () => {
    const values = withBuiltins({ foo: "bar" });
    expect(formatPath("{pm[run_uuid]}", values)).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/);
    expect(formatPath("{pm[current_datetime_local]:%Y%m%d_%H%M%S}", values)).toMatch(/^\d{8}_\d{6}$/);
    const utc = formatPath("{pm[current_datetime_utc]}", values);
    expect(Math.abs(Date.parse(`${utc.replace(" ", "T")}Z`) - Date.now())).toBeLessThan(60_000);
    expect(formatPath("{pm}", withBuiltins({ pm: "mine" }))).toBe("mine");
  });

  it("is what the notebook is read from and written to, and is told so", async () => {
    const options = { prepareOnly: true };
    const parameters = { n: 7, part: "a" };
    const first = await executeNotebook(notebookOf(["x"]), join(folder, "{part}-{n:03d}.ipynb"), {
      ...options,
      parameters,
    });
    expect(first.metadata["papermill"]).toMatchObject({ output_path: join(folder, "a-007.ipynb") });
    await executeNotebook(join(folder, "{part}-007.ipynb"), join(folder, "second.ipynb"), {
      ...options,
      parameters,
    });
    expect(readdirSync(folder).sort()).toEqual(["a-007.ipynb", "second.ipynb"]);
    const missing = executeNotebook(join(folder, "{nope}.ipynb"), null, { prepareOnly: true });
    await expect(missing).rejects.toThrow("Missing parameter 'nope'");
    const literal = executeNotebook(notebookOf(["x"]), join(folder, "{x}.ipynb"), {
      prepareOnly: true,
      pathTemplates: false,
    });
    expect((await literal).metadata["papermill"]).toMatchObject({ output_path: join(folder, "{x}.ipynb") });
  });
});

describe("values in paths are written as Python writes them", () => {
  it.each<[Formattable, spec: string, text: string]>([
    [1e-5, "", "1e-05"],
    [0.1, "", "0.1"],
    [NaN, "", "nan"],
    [-Infinity, "", "-inf"],
    [-7, "04d", "-007"],
    [7, "+d", "+7"],
    [1234567, ",", "1,234,567"],
    [1234567.891, ",.1f", "1,234,567.9"],
    [255, "x", "ff"],
    [255, "08b", "11111111"],
    [0.000012345, ".3g", "1.23e-05"],
    [1234.5, "g", "1234.5"],
    [12345.678, ".2e", "1.23e+04"],
    [0.25, ".0%", "25%"],
    ["a", ">3", "  a"],
    ["a", "*^4", "*a**"],
    ["abc", ".2", "ab"],
    [true, "d", "1"],
    [12n ** 20n, "d", "3833759992447475122176"],
    ["it's", "", "it's"],
    [["it's"], "", `["it's"]`],
    [new Date(2026, 0, 2, 15, 4, 5, 678), "", "2026-01-02 15:04:05.678000"],
    [new Date(2026, 1, 2, 15, 4, 5), "%d %b %y %I%p %j %%", "02 Feb 26 03PM 033 %"],
  ])("%s with :%s", (value, spec, text) => {
    expect(formatValue(value, spec)).toBe(text);
  });
});
