import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { executeNotebook } from "../../src/papermill/index.js";
import { codeCells, notebookOf, printed } from "../papermill/notebooks.js";

// A project of its own: rebuilding this one would disturb whoever uses it.
// Deep enough for TypeScript, which does not watch folders near the root of the disk.
const temporary = realpathSync(mkdtempSync(join(tmpdir(), "watching-")));
const folder = join(temporary, "home", "researcher", "project");
const built = join(folder, "built");
afterAll(() => rmSync(temporary, { recursive: true }));

beforeEach(() => {
  mkdirSync(join(built, "parts"), { recursive: true });
  const files = {
    "package.json": '{"name": "library", "main": "index.js", "types": "index.d.ts"}',
    "index.js": "exports.answer = 42;",
    "index.d.ts": 'export { answer } from "./parts/answer";',
    "parts/answer.d.ts": "export declare const answer: number;",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(built, name), text);
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  // As node_modules/alignscope leads to the project's root.
  const link = join(folder, "node_modules", "library");
  if (!existsSync(link)) symlinkSync(built, link);
});

const pause = "await new Promise((done) => setTimeout(done, 1500));";

/** The standard output of each cell. */
async function run(cells: string[]): Promise<string[]> {
  const done = await executeNotebook(notebookOf(cells), null, { cwd: folder, executionTimeout: 30 });
  return codeCells(done).map((cell) => printed(cell));
}

it("a library that is rebuilt, also more than once and while nothing runs, does not disturb the cells", async () => {
  const rebuild = `for (const round of [1, 2, 3]) {
  fs.writeFileSync("built/package.json", '{"name": "library", "main": "index.js", "types": "index.d.ts"}');
  fs.writeFileSync("built/index.js", "exports.answer = 42;");
  fs.writeFileSync("built/parts/answer.d.ts", "export declare const answer: number; // " + round);
  fs.writeFileSync("built/parts/new" + round + ".d.ts", "export {};");
  fs.writeFileSync("built/index.d.ts", 'export { answer } from "./parts/answer"; // ' + round);
  ${pause}
}`;
  const cells = [
    'import * as fs from "node:fs";\nimport { answer } from "library";\nanswer',
    rebuild,
    "answer + 1",
    `const later = setTimeout(() => { for (const n of [1, 2, 3]) { fs.writeFileSync("built/index.d.ts", 'export { answer } from "./parts/answer"; // again ' + n); fs.rmSync("built/parts/new" + n + ".d.ts"); } }, 20);`,
    pause,
    'import { answer as same } from "library";\nsame === answer',
  ];
  expect(await run(cells)).toEqual(["42\n", "", "43\n", "", "", "true\n"]);
});

it("a helper of the researcher's own, edited while the kernel runs, is read again by the next import", async () => {
  const write = (value: string): string =>
    `fs.writeFileSync("helper.ts", "export const value = ${value};"); ${pause}`;
  const cells = [
    `import * as fs from "node:fs"; ${write("1")}`,
    'import { value } from "./helper"; value',
    write("'two'"),
    'import { value } from "./helper"; value.length',
  ];
  expect(await run(cells)).toEqual(["", "1\n", "", "3\n"]);
});

it("a cell can be a module, and be changed", async () => {
  const cells = [
    "/** @module part */\nexport const value = 1;",
    'import { value } from "./part"; value',
    '/** @module part */\nexport const value = "two";',
    'import { value } from "./part"; value.length',
  ];
  expect(await run(cells)).toEqual(["", "1\n", "", "3\n"]);
});
