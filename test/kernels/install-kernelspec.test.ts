import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import {
  describeKernelspecs,
  installKernelspec,
  uninstallKernelspec,
  type Installed,
  type InstallOptions,
  type Owner,
} from "../../kernels/typescript/install/index.js";
import { findKernelspec, isSearched, kernelsFolderOf } from "../../src/jupyter/index.js";
import { executeNotebook } from "../../src/papermill/index.js";
import { codeCells, notebookOf, printed } from "../papermill/notebooks.js";

const root = mkdtempSync(join(tmpdir(), "install-kernelspec-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Debian: python3-jupyter-client; its command line has no script of its own there. */
const jupyterClient =
  spawnSync("/usr/bin/python3", ["-c", "import jupyter_client.kernelspecapp"]).status === 0;

let data: string;
let kernels: string;

beforeEach(() => {
  data = mkdtempSync(join(root, "data-"));
  kernels = join(data, "kernels");
});
afterEach(() => vi.unstubAllEnvs());

/** This project, as the owner of kernelspecs. */
const OWNER: Owner = { name: "alignscope", folder: projectRoot() };
const install = (options: InstallOptions): Installed => installKernelspec(OWNER, "alignscope", options);
const uninstall = (folder: string, name = "alignscope"): string | undefined =>
  uninstallKernelspec(OWNER, folder, name);

interface KernelJson {
  argv: string[];
  [key: string]: unknown;
}

function kernelJson(folder: string): KernelJson {
  return JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8")) as KernelJson;
}

/** A kernelspec that was not installed by this project, or by another one in `project`. */
function foreign(name: string, project?: string): string {
  const folder = join(kernels, name);
  mkdirSync(folder, { recursive: true });
  const metadata = project === undefined ? {} : { alignscope: { project } };
  writeFileSync(join(folder, "kernel.json"), JSON.stringify({ argv: ["x"], metadata }));
  return folder;
}

describe("an installed kernelspec", () => {
  it("starts this build under this Node as the one in place does, with paths that hold anywhere, and has its logos", () => {
    const { folder, name, displayName, replaced } = install({ folder: kernels });
    expect({ name, displayName, replaced }).toEqual({
      name: "alignscope",
      displayName: "TypeScript (alignscope)",
      replaced: false,
    });
    expect(folder).toBe(join(kernels, "alignscope"));
    const own = kernelJson(join(projectRoot(), "kernels", "alignscope"));
    const json = kernelJson(folder);
    const main = join(projectRoot(), "kernels", "typescript", "dist", "main.js");
    expect(json.argv).toEqual([
      process.execPath,
      ...own.argv.slice(1, -4),
      main,
      "--package",
      projectRoot(),
      "{connection_file}",
    ]);
    expect(json).toMatchObject({
      language: "typescript",
      interrupt_mode: own["interrupt_mode"],
      env: {},
      metadata: { debugger: false, alignscope: { project: projectRoot() } },
    });
    expect(readdirSync(folder).sort()).toEqual([
      "kernel.json",
      "logo-32x32.png",
      "logo-64x64.png",
      "logo-svg.svg",
    ]);
  });

  it("carries another name, in lower case, another text and variables, and replaces an earlier one whole", () => {
    const { folder } = install({ folder: kernels, name: "ts-GPU" });
    writeFileSync(join(folder, "left-over"), "");
    const again = install({
      folder: kernels,
      name: "TS-gpu",
      displayName: "TypeScript on the GPU",
      env: { A: "1", B: "${HOME}/x" },
    });
    expect(again).toMatchObject({ folder, name: "ts-gpu", replaced: true });
    expect(readdirSync(kernels)).toEqual(["ts-gpu"]);
    expect(existsSync(join(folder, "left-over"))).toBe(false);
    expect(kernelJson(folder)).toMatchObject({
      display_name: "TypeScript on the GPU",
      env: { A: "1", B: "${HOME}/x" },
    });
  });

  it("starts through the runner from another folder, with its variables", async () => {
    install({ folder: kernels, name: "elsewhere", env: { GREETING: "hello from ${HOME}" } });
    vi.stubEnv("JUPYTER_PATH", data);
    vi.stubEnv("HOME", data);
    const notebook = notebookOf(["process.env.GREETING", "process.cwd()"], "python3");
    const done = await executeNotebook(notebook, null, { kernelName: "elsewhere", cwd: data });
    const texts = codeCells(done).map((cell) => printed(cell) + JSON.stringify(cell.outputs));
    expect(texts[0]).toContain(`hello from ${data}`);
    expect(texts[1]).toContain(data);
  });

  it.skipIf(!jupyterClient)("is what Jupyter itself finds (needs jupyter_client)", () => {
    const { folder } = install({ folder: kernels, env: { A: "1" } });
    foreign("not-ours");
    const environment = { ...process.env, JUPYTER_DATA_DIR: data, PYDEVD_DISABLE_FILE_VALIDATION: "1" };
    const run = spawnSync("/usr/bin/python3", ["-m", "jupyter_client.kernelspecapp", "list", "--json"], {
      env: environment,
      encoding: "utf8",
    });
    const { kernelspecs } = JSON.parse(run.stdout) as { kernelspecs: Record<string, unknown> };
    expect(kernelspecs["alignscope"]).toMatchObject({
      resource_dir: folder,
      spec: { argv: kernelJson(folder).argv, env: { A: "1" }, metadata: { debugger: false } },
    });
    expect(Object.keys(kernelspecs)).toContain("not-ours");
  });
});

describe("what is not this project's", () => {
  it("is not replaced unless told to, and not removed", () => {
    const folder = foreign("Mine");
    const refused = `${folder} is not a kernelspec that alignscope installed: choose another name with --name, or replace it with --force`;
    expect(() => install({ folder: kernels, name: "mine" })).toThrow(refused);
    expect(() => uninstall(kernels, "mine")).toThrow(
      `${folder} is not a kernelspec that alignscope installed: left alone, delete the folder if it should go`,
    );
    expect(kernelJson(folder).argv).toEqual(["x"]);
    expect(install({ folder: kernels, name: "mine", force: true })).toMatchObject({
      folder,
      replaced: true,
    });
    expect(uninstall(kernels, "mine")).toBe(folder);
  });

  it("may be another alignscope's while that exists, and is ours when it is gone", () => {
    const other = join(data, "other");
    mkdirSync(other);
    writeFileSync(join(other, "package.json"), "{}");
    const folder = foreign("alignscope", other);
    const named = `${folder} is the kernelspec of another alignscope, in ${other}: `;
    expect(() => install({ folder: kernels })).toThrow(named);
    expect(() => uninstall(kernels)).toThrow(named);
    rmSync(other, { recursive: true });
    expect(install({ folder: kernels }).replaced).toBe(true);
  });

  it("stays when a link to it is replaced", () => {
    const elsewhere = join(data, "elsewhere");
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "kernel.json"), "{}");
    mkdirSync(kernels);
    symlinkSync(elsewhere, join(kernels, "alignscope"));
    install({ folder: kernels, force: true });
    expect(readdirSync(elsewhere)).toEqual(["kernel.json"]);
    expect(kernelJson(join(kernels, "alignscope")).argv[0]).toBe(process.execPath);
  });

  it("stays when ours beside it is removed; removing what is not there says so", () => {
    foreign("other");
    install({ folder: kernels });
    expect(uninstall(kernels)).toBe(join(kernels, "alignscope"));
    expect(readdirSync(kernels)).toEqual(["other"]);
    expect(uninstall(kernels)).toBeUndefined();
    expect(uninstall(join(data, "nowhere"))).toBeUndefined();
  });
});

describe("installing says in one line", () => {
  it.each(["", "..", "a b", "a/b", "ä"])("that a kernel cannot be named %j", (name) => {
    expect(() => install({ folder: kernels, name })).toThrow(
      `a kernel cannot be named ${JSON.stringify(name)} (expected letters, digits, ".", "_" and "-")`,
    );
    expect(() => uninstall(kernels, name)).toThrow("a kernel cannot be named");
  });

  it("that a folder cannot be written, and leaves nothing", () => {
    writeFileSync(join(data, "file"), "");
    expect(() => install({ folder: join(data, "file", "kernels") })).toThrow(
      /^cannot write \S+\/file\/kernels\/alignscope \(ENOTDIR: [^\n]+\): install elsewhere with [^\n]+$/,
    );
    expect(readdirSync(data)).toEqual(["file"]);
  });

  it("that the kernel is not built, and what to do", () => {
    const bare = join(data, "bare");
    cpSync(join(projectRoot(), "kernels", "alignscope"), join(bare, "kernels", "alignscope"), {
      recursive: true,
    });
    expect(() => installKernelspec({ ...OWNER, folder: bare }, "alignscope", { folder: kernels })).toThrow(
      `the kernel is not built (no ${bare}/kernels/typescript/dist/main.js): run \`npm run build\` in ${bare}`,
    );
    expect(existsSync(kernels)).toBe(false);
  });

  it("that the project's own folder of kernels needs none, even when forced", () => {
    const folder = join(projectRoot(), "kernels");
    expect(() => install({ folder, force: true })).toThrow(
      `${folder} is where the kernel of alignscope lies`,
    );
    expect(() => uninstall(folder)).toThrow("left alone");
    expect(existsSync(join(folder, "alignscope", "kernel.json"))).toBe(true);
  });
});

describe("places to install into", () => {
  it("are the user's Jupyter folder, a prefix, or the active environment", () => {
    const env = { JUPYTER_DATA_DIR: "/data", VIRTUAL_ENV: "/venv", CONDA_PREFIX: "/conda" };
    expect(kernelsFolderOf("user", env)).toBe("/data/kernels");
    expect(kernelsFolderOf({ prefix: "/opt/x" }, env)).toBe("/opt/x/share/jupyter/kernels");
    expect(kernelsFolderOf("sys-prefix", env)).toBe("/venv/share/jupyter/kernels");
    expect(kernelsFolderOf("sys-prefix", { CONDA_PREFIX: "/conda" })).toBe("/conda/share/jupyter/kernels");
    expect(() => kernelsFolderOf("sys-prefix", {})).toThrow(
      /^no Python environment is active .*activate one/,
    );
  });

  it("are known to be searched or not", () => {
    const env = { JUPYTER_DATA_DIR: "/data", VIRTUAL_ENV: "/venv" };
    for (const place of ["user", "sys-prefix", { prefix: "/usr/local" }] as const) {
      expect(isSearched(kernelsFolderOf(place, env), env)).toBe(true);
    }
    expect(isSearched("/opt/x/share/jupyter/kernels", env)).toBe(false);
    expect(isSearched("/opt/x/kernels", { ...env, JUPYTER_PATH: "/opt/x" })).toBe(true);
  });
});

describe("the list of kernelspecs", () => {
  it("says of each whose it is, what it lacks, and which hides it from Jupyter", () => {
    const second = join(data, "second");
    install({ folder: kernels });
    install({ folder: second });
    foreign("broken");
    writeFileSync(join(kernels, "broken", "kernel.json"), "{");
    foreign("gone", join(data, "gone"));
    foreign("script");
    writeFileSync(join(kernels, "script", "kernel.json"), '{"argv": ["node", "-x", "/no/k.js"]}');
    const listed = describeKernelspecs(OWNER, [join(projectRoot(), "kernels"), kernels, second]);
    expect(listed.map(({ name, origin, hiddenBy }) => [name, origin, hiddenBy])).toEqual([
      ["alignscope", "in place", null],
      ["alignscope", "installed", null],
      ["broken", "other", null],
      ["gone", "another alignscope", null],
      ["script", "other", null],
      ["alignscope", "installed", join(kernels, "alignscope")],
    ]);
    expect(listed.map(({ problem }) => problem)).toEqual([
      null,
      null,
      expect.stringContaining("cannot read the kernelspec"),
      "x is not on the PATH",
      "no /no/k.js",
      null,
    ]);
    expect(listed[3]?.project).toBe(join(data, "gone"));
    expect(listed[1]).toMatchObject({ language: "typescript", displayName: "TypeScript (alignscope)" });
  });

  it("leaves this project's own kernel the one that the runner takes", () => {
    install({ folder: kernels });
    vi.stubEnv("JUPYTER_PATH", data);
    expect(findKernelspec("alignscope").resourceDir).toBe(join(projectRoot(), "kernels", "alignscope"));
  });
});
