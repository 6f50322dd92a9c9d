import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endSessions, KernelSession } from "./kernel-session.js";

const temporary = realpathSync(mkdtempSync(join(tmpdir(), "imports-")));
const project = join(temporary, "home", "project");
const elsewhere = join(temporary, "home", "elsewhere");

function write(folder: string, files: Record<string, string | object>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  }
}

beforeAll(() => {
  write(join(project, "node_modules"), {
    "only-import/package.json": {
      name: "only-import",
      exports: { import: "./index.mjs", types: "./index.d.mts" },
    },
    "only-import/index.mjs": "export const answer = 42;",
    "only-import/index.d.mts": "export declare const answer: number;",
    "awaits/package.json": { name: "awaits", type: "module", exports: "./index.js", types: "./index.d.ts" },
    "awaits/index.js": "export const later = await Promise.resolve('later');",
    "awaits/index.d.ts": "export declare const later: string;",
    "parts/package.json": {
      name: "parts",
      exports: {
        "./one": { types: "./types/one.d.ts", default: "./lib/one.js" },
        "./deep/*": { types: "./types/*.d.ts", import: "./lib/*.mjs" },
      },
    },
    "parts/types/one.d.ts": "export declare function one(): 1;",
    "parts/lib/one.js": "exports.one = () => 1;",
    "parts/types/two.d.ts": "export declare const two: 2;",
    "parts/lib/two.mjs": "export const two = 2;",
    "untyped/package.json": { name: "untyped", main: "index.js" },
    "untyped/index.js": "module.exports = { plain: true };",
  });
  write(elsewhere, {
    "helper.ts": "export const fromOutside: string = 'outside';\n",
    "broken.ts": "export const fine = 1;\nexport const count: number = 'no number';\n",
    "packages/named/package.json": { name: "named", main: "index.js", types: "index.d.ts" },
    "packages/named/index.js": "exports.named = 'by NODE_PATH';",
    "packages/named/index.d.ts": "export declare const named: string;",
  });
});
afterAll(async () => {
  await endSessions();
  rmSync(temporary, { recursive: true });
});

describe("in the project's folder", () => {
  let kernel: KernelSession;
  beforeAll(async () => void (kernel = await KernelSession.start()));

  it("packages that are ES modules alone are imported as any other, with their types", async () => {
    const scale = await kernel.execute(
      'import { scaleLinear } from "d3-scale"; scaleLinear().domain([0, 10]).range([0, 1])(5)',
    );
    expect([scale.failure, scale.result]).toEqual(["", "0.5"]);
    const vega = await kernel.execute(
      `import { compile, type TopLevelSpec } from "vega-lite";
const spec: TopLevelSpec = { data: { values: [{ a: 1 }] }, mark: "bar", encoding: {} };
compile(spec).spec.marks?.length`,
    );
    expect([vega.failure, vega.result]).toEqual(["", "1"]);
    // Known by its types as well: the misuse is found before anything runs.
    const misuse = await kernel.execute('import * as lite from "vega-lite"; lite.compile(5)');
    expect(misuse.failure).toMatch(/^TypeScriptError: 1:49 - .*'number'/);
  });

  it("import() of an ES module and of one that is none", async () => {
    const answer = await kernel.execute(`const { max } = await import("d3-array");
const { sep } = await import("node:path");
[max([1, 3, 2]), sep].join()`);
    expect([answer.failure, answer.result]).toEqual(["", "3,/"]);
  });
});

describe("in a folder with packages of its own, without @types/node and tsconfig.json", () => {
  let kernel: KernelSession;
  beforeAll(async () => {
    kernel = await KernelSession.start({ cwd: project, env: { NODE_PATH: join(elsewhere, "packages") } });
  });
  const run = async (code: string): Promise<string | undefined> => {
    const { failure, result } = await kernel.execute(code);
    return failure || result;
  };

  it("a package whose exports name nothing but import", async () => {
    expect(await run('import { answer } from "only-import"; answer.toFixed(1)')).toBe("42.0");
  });

  it("a package that awaits while it loads", async () => {
    expect(await run('import { later } from "awaits"; later.toUpperCase()')).toBe("LATER");
  });

  it("subpaths of exports, with their types", async () => {
    expect(await run('import { one } from "parts/one"; const n: 1 = one(); n')).toBe("1");
    expect(await run('import { two } from "parts/deep/two"; const m: 2 = two; m')).toBe("2");
    expect(await run('import { one as wrong } from "parts/one"; const s: string = wrong();')).toMatch(
      /^TypeScriptError: .*not assignable to type 'string'/,
    );
    expect(await run('import * as hidden from "parts/lib/one";')).toMatch(
      /^TypeScriptError: .*parts\/lib\/one/,
    );
  });

  it("a package without types is imported as any", async () => {
    expect(await run('import untyped from "untyped"; untyped.plain')).toBe("true");
  });

  it("a package in a folder of NODE_PATH, with its types", async () => {
    expect(await run('import { named } from "named"; named.toUpperCase()')).toBe("BY NODE_PATH");
  });

  it("console, process, fs and the rest of Node are known", async () => {
    expect(
      await run(
        'import * as fs from "fs"; console.log(fs.existsSync("/")); const a: number = process.pid; typeof a',
      ),
    ).toBe("number");
  });

  it("the library by its name, with its types, from outside its project", async () => {
    expect(await run('import { projectRoot } from "alignscope"; typeof projectRoot')).not.toMatch(
      /Error: Cannot find/,
    );
    expect(await run('import * as scope from "alignscope"; Object.keys(scope).length > 10')).toBe("true");
    expect(await run('import { noSuchThing } from "alignscope"; noSuchThing')).toMatch(
      /^TypeScriptError: .*noSuchThing/,
    );
  });

  it("a file outside of the working directory", async () => {
    expect(await run('import { fromOutside } from "../elsewhere/helper"; fromOutside.length')).toBe("7");
  });

  it("type errors of an imported file are told with its name and line, and nothing runs", async () => {
    const answer = await kernel.execute(
      'console.log("ran");\nimport { count } from "../elsewhere/broken"; count',
    );
    expect(answer.failure).toMatch(/^TypeScriptError: .*elsewhere\/broken\.ts:2:14 - /);
    expect(answer.traceback).toContain("> 2 | export const count: number = 'no number';");
    expect(answer.text()).toBe("");
  });

  it("a file that was edited is read again by the next import", async () => {
    const file = join(project, "edited.ts");
    writeFileSync(file, "export const value = 1;\n");
    expect(await run('import { value } from "./edited"; value')).toBe("1");
    writeFileSync(file, 'export const value = "two";\n');
    // The compiler hears of the change by itself, a little later.
    await expect
      .poll(() => run('import { value } from "./edited"; value.length'), { timeout: 10_000 })
      .toBe("3");
  });
});

describe("the nearest tsconfig.json is heeded", () => {
  const careless =
    "let nothing: string = null as any; const f = (a) => a; const g: string = undefined; typeof g";

  it("nothing is strict without one", async () => {
    const kernel = await KernelSession.start({ cwd: project });
    expect((await kernel.execute(careless)).result).toBe("undefined");
  });

  it("strict, where the folder above says so, and aliases of paths", async () => {
    const strict = join(temporary, "home", "strict");
    write(strict, {
      "tsconfig.json":
        '{\n  // as people write them\n  "compilerOptions": { "strict": true, "paths": { "@lib/*": ["./lib/*"] } },\n}',
      "lib/tool.ts": "export const tool = (name: string): string => `tool ${name}`;",
      "notebooks/readme.txt": "",
    });
    const kernel = await KernelSession.start({ cwd: join(strict, "notebooks") });
    const { failure } = await kernel.execute(careless);
    expect(failure).toMatch(/1:\d+ - Parameter 'a' implicitly has an 'any' type/);
    expect(failure).toMatch(/Type 'undefined' is not assignable to type 'string'/);
    const aliased = await kernel.execute('import { tool } from "@lib/tool"; tool("x")');
    expect([aliased.failure, aliased.result]).toEqual(["", "tool x"]);
  });
});

describe("where nothing can be written", () => {
  it("a kernel that is started in /", async () => {
    const kernel = await KernelSession.start({ cwd: "/" });
    const answer = await kernel.execute(
      'import * as fs from "node:fs"; const n: number = fs.readdirSync(".").length; n > 0',
    );
    expect([answer.failure, answer.result]).toEqual(["", "true"]);
  });

  // Not even its owner, or root, can make a file there.
  it.skipIf(process.platform !== "linux")("a kernel that is started in a folder of /proc", async () => {
    const kernel = await KernelSession.start({ cwd: "/proc/sys" });
    const answer = await kernel.execute("const a = [1, 2]; a.length");
    expect([answer.failure, answer.result]).toEqual(["", "2"]);
  });
});
