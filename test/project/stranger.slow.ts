import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNotebook } from "../../src/jupyter/index.js";

const root = resolve(import.meta.dirname, "../..");
const PACKAGES = ["jupyter-wire", "papermill-ts", "ts-jupyter-kernel"];

// `npm run` hands its own settings down.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|JUPYTER_)/i.test(name)),
);

function run(
  cwd: string,
  command: string,
  ...args: string[]
): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", env: environment });
  return { status, out: stdout, err: stderr };
}

const built = existsSync(join(root, "kernels/typescript/dist/main.js"));
const registry = run(root, "npm", "view", "zeromq", "version", "--fetch-retries=0").status === 0;

/** A notebook that knows nothing of this project: types, a parameter, a package of Node's, top-level await. */
const NOTEBOOK = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: "typescript", display_name: "TypeScript", language: "typescript" } },
  cells: [
    { id: "a", tags: ["parameters"], source: 'const count: number = 2;\nconst word: string = "hello";' },
    { id: "b", tags: [], source: 'import { setTimeout } from "node:timers/promises";\nawait setTimeout(5);' },
    { id: "c", tags: [], source: "Array.from({ length: count }, (_, i) => `${word} ${i}`)" },
  ].map(({ id, tags, source }) => ({
    cell_type: "code",
    execution_count: null,
    id,
    metadata: { tags },
    outputs: [],
    source,
  })),
};

describe.skipIf(!built || !registry)(
  "packages in an empty folder, without this repository (needs the build and npm's registry)",
  () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "stranger-"));
      for (const name of PACKAGES) {
        const packed = run(root, "npm", "pack", "--workspace", name, "--pack-destination", folder);
        expect(packed.status, packed.err).toBe(0);
      }
      const archives = readdirSync(folder).map((name) => `./${name}`);
      expect(archives).toHaveLength(PACKAGES.length);
      writeFileSync(join(folder, "package.json"), '{ "name": "stranger", "private": true }\n');
      const quietly = ["--prefer-offline", "--no-audit", "--no-fund"];
      const installed = run(folder, "npm", "install", ...quietly, ...archives);
      expect(installed.status, installed.err).toBe(0);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("have a README each, and nothing of the study", () => {
      const modules = join(folder, "node_modules");
      for (const name of PACKAGES)
        expect(readFileSync(join(modules, name, "README.md"), "utf8")).toContain(name);
      expect(existsSync(join(modules, "alignscope"))).toBe(false);
      expect(existsSync(join(modules, "@tensorflow"))).toBe(false);
    });

    it("run a parameterised TypeScript notebook, the kernel being found beside the runner", () => {
      writeFileSync(join(folder, "in.ipynb"), JSON.stringify(NOTEBOOK));
      const ran = run(folder, "npx", "papermill-ts", "in.ipynb", "out.ipynb", "-p", "count", "3");
      expect(ran.status, ran.err).toBe(0);
      const { cells } = readNotebook(join(folder, "out.ipynb"));
      expect(cells[1]?.metadata["tags"]).toEqual(["injected-parameters"]);
      expect(cells[1]?.source).toMatch(/\bcount\b.*= 3;/);
      expect(JSON.stringify(cells.at(-1))).toContain("[ 'hello 0', 'hello 1', 'hello 2' ]");
    });

    it("tell of a type error before the cell runs", () => {
      const [declared, ...others] = NOTEBOOK.cells;
      const wrong = { ...declared, source: 'const count: number = "two";' };
      writeFileSync(join(folder, "wrong.ipynb"), JSON.stringify({ ...NOTEBOOK, cells: [wrong, ...others] }));
      const ran = run(folder, "npx", "papermill-ts", "wrong.ipynb", "out.ipynb");
      expect(ran.status).toBe(1);
      expect(ran.err).toContain("Type 'string' is not assignable to type 'number'");
    });

    it("install the kernel into Jupyter, list it and take it away again", () => {
      const kernel = (...args: string[]) => run(folder, "npx", "ts-jupyter-kernel", ...args);
      const installed = kernel("install", "--prefix", join(folder, "jupyter"));
      expect(installed.status, installed.err).toBe(0);
      const place = join(folder, "jupyter", "share", "jupyter", "kernels", "typescript");
      const { argv, language } = JSON.parse(readFileSync(join(place, "kernel.json"), "utf8")) as {
        argv: string[];
        language: string;
      };
      expect(language).toBe("typescript");
      expect(argv.some((part) => part.startsWith(join(folder, "node_modules", "ts-jupyter-kernel")))).toBe(
        true,
      );
      expect(kernel("list", "--help").status).toBe(0);
      expect(kernel("uninstall", "--prefix", join(folder, "jupyter")).status).toBe(0);
      expect(existsSync(place)).toBe(false);
    });
  },
);
