import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { readNotebook } from "../../src/jupyter/index.js";
import { readingScorer } from "../../src/scorers/scorer.js";
import { blocksOf, documents } from "./documents.js";
import { EXTENDING, isModule } from "./example-notebook.js";
import { missing, notebookOf, Sandbox } from "./sandbox.js";

const NOTEBOOKS = "docs/notebooks.md";
const root = projectRoot();

/** Files that examples speak of and that no project has before its reader has written them. */
const readersOwn: Record<string, string> = {
  "lib/helper.ts": "export const helper = (x: number): number => x + 1;",
};

/**
 * The TypeScript of a document as files beside it: modules one by one, all else as one notebook, which is what it is.
 * `import { ShoutingScorer } from "./shouting.js"` finds the module that exports it.
 */
function filesOf(document: string): Record<string, string> {
  const blocks = blocksOf(document, "ts");
  const cells = blocks.filter((block) => !isModule(block)).join("\n");
  const name = basename(document, ".md");
  const files: Record<string, string> =
    cells === "" ? {} : { [`docs/${name}-cells.ts`]: `${cells}\nexport {};\n` };
  for (const [i, block] of blocks.filter(isModule).entries()) {
    const exported = /^export class (\w+)Scorer/m.exec(block)?.[1]?.toLowerCase() ?? `${name}-module-${i}`;
    files[`docs/${exported}.ts`] = block;
  }
  return files;
}

/** A name that the library does not have: the compiler has to say so. */
const wrong = 'import { openStudi } from "alignscope";\nexport const x: number = openStudi;\n';

/** What the compiler says of each of some files that are in memory, beside those of the project; it is as strict as with cells. */
function complaintsOf(given: Record<string, string>): Map<string, string[]> {
  const files = new Map(
    Object.entries({ ...readersOwn, ...given }).map(([path, text]) => [join(root, path), text]),
  );
  const { config } = ts.readConfigFile(join(root, "tsconfig.notebook.json"), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.directoryExists = undefined; // else folders that are in memory only are passed over
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  const program = ts.createProgram({
    rootNames: [...files.keys(), join(root, "kernels/typescript/executor/cell-globals.d.ts")],
    options: {
      ...options,
      noEmit: true,
      incremental: false,
      tsBuildInfoFile: undefined,
      declaration: false,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      paths: { alignscope: [join(root, "src/index.ts")] },
    },
    host,
  });
  const said = (path: string): string[] =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(join(root, path)))
      .map(({ messageText, file, start }) => {
        const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line : 0;
        return `${file?.text.split("\n")[line] ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
      });
  return new Map(Object.keys(given).map((path) => [path, said(path)]));
}

describe("TypeScript in the documents", () => {
  const written = documents().filter((document) => blocksOf(document, "ts").length > 0);
  let complaints: Map<string, string[]>;
  // One program for all, since most of its time goes into reading the library.
  beforeAll(() => {
    complaints = complaintsOf(
      Object.assign({ "docs/wrong.ts": wrong }, ...written.map(filesOf)) as Record<string, string>,
    );
  });

  it.each(written)("compiles: %s", (document) => {
    for (const path of Object.keys(filesOf(document))) expect(complaints.get(path), path).toEqual([]);
  });

  it("is checked: what the library does not have is a complaint", () => {
    expect(complaints.get("docs/wrong.ts")?.join()).toContain("openStudi");
  });

  it("has no other fence than ts, so that none is passed over", () => {
    for (const document of documents()) {
      for (const other of ["typescript", "js", "javascript", "tsx"]) {
        expect(blocksOf(document, other), document).toEqual([]);
      }
    }
  });

  it("makes a scorer of docs/extending.md's class", async () => {
    const block = blocksOf(EXTENDING, "ts").find((one) => one.includes("class ShoutingScorer")) as string;
    const { outputText } = ts.transpileModule(block, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
    const module = { exports: {} as { ShoutingScorer: new () => Parameters<typeof readingScorer>[0] } };
    new Function("exports", outputText)(module.exports);
    const scorer = readingScorer(new module.exports.ShoutingScorer(), "max");
    expect(await scorer.score(["", "SHOUT", "Oh no"])).toEqual([0, 1, 0.25]);
  });
});

describe.skipIf(missing())(`cells of ${NOTEBOOKS}, run in the kernel (${missing() ?? "here"})`, () => {
  let sandbox: Sandbox;
  beforeAll(() => {
    sandbox = new Sandbox();
    for (const [path, text] of Object.entries(readersOwn)) sandbox.write(path, text);
  });
  afterAll(() => sandbox.remove());

  it("run through, in their order, on the probe that notebook 3.1 makes", { timeout: 240_000 }, () => {
    const made = sandbox.shell("npx alignscope run-notebook 3.1 -p probeComments 400");
    expect(made.status, made.stderr).toBe(0);
    // A headless run may not be asked anything.
    const cells = blocksOf(NOTEBOOKS, "ts").map((cell) => cell.replace(/await input\("[^"]*"\)/, '"7"'));
    sandbox.write("notebooks/cells.ipynb", notebookOf(cells));
    const run = sandbox.shell("npx papermill-ts notebooks/cells.ipynb done.ipynb --cwd notebooks", 240);
    expect(run.status, run.stderr).toBe(0);
    const outputs = readNotebook(sandbox.path("done.ipynb")).cells.flatMap((cell) =>
      cell.cell_type === "code" ? cell.outputs : [],
    );
    expect(JSON.stringify(outputs)).toContain("<b>done</b>");
    const pairs = readFileSync(sandbox.path("notebooks/pairs.jsonl"), "utf8");
    expect(pairs.trim().split("\n").length).toBeGreaterThan(10);
  });
});
