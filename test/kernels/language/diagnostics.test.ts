import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import { diagnostics } from "../../../kernels/typescript/language/diagnostics.js";
import { cellScript } from "../../../kernels/typescript/wire/index.js";

const book = {
  label: (execution: number) => `In [${execution * 10}]`,
  code: () => 'console.log("ran");\nconst fine = 1;\nconst count: number = "many";\nfine',
};

it("problems of a cell are told with their places and the lines around them, all at once", () => {
  const place = (line: number, column: number, length: number) => ({
    source: cellScript(3),
    line,
    column,
    length,
  });
  const { ename, evalue, traceback } = diagnostics(
    [
      { code: 2322, message: "Not a number.", place: place(3, 7, 5) },
      { code: 2304, message: "No name.", place: place(4, 1, 4) },
    ],
    3,
    book,
    "/project",
  );
  expect([ename, evalue]).toEqual(["TypeScriptError", "3:7 - Not a number.; 4:1 - No name."]);
  expect(stripVTControlCharacters(traceback.join("\n"))).toBe(`In [30]:3:7 - error TS2322: Not a number.
  1 | console.log("ran");
  2 | const fine = 1;
> 3 | const count: number = "many";
    |       ^^^^^
  4 | fine

In [30]:4:1 - error TS2304: No name.
  2 | const fine = 1;
  3 | const count: number = "many";
> 4 | fine
    | ^^^^`);
});

it("files are told by their paths, and types of other cells by these", () => {
  const message = `Type 'import("/project/ts-jupyter-kernel-cell-1").P' is not assignable to type 'import("/project/ts-jupyter-kernel-cell-2").P'.`;
  const place = { source: "/project/sub/helper.ts", line: 1, column: 14, length: 5 };
  const { evalue, traceback } = diagnostics(
    [{ code: 2322, message, place, text: "export const count = 1;" }],
    3,
    book,
    "/project",
  );
  expect(evalue).toBe("sub/helper.ts:1:14 - Type 'In [10].P' is not assignable to type 'In [20].P'.");
  expect(stripVTControlCharacters(traceback.join("\n"))).toContain(
    "> 1 | export const count = 1;\n    |              ^^^^^",
  );
});
