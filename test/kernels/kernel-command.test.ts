import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createProgram, main } from "../../src/cli/main.js";
import { projectRoot } from "../../src/base/paths.js";
import type { ListedKernelspec } from "../../kernels/typescript/install/index.js";

const root = mkdtempSync(join(tmpdir(), "kernel-command-"));
afterAll(() => rmSync(root, { recursive: true }));

let home: string;
let out: string;
let err: string;

beforeEach(() => {
  home = mkdtempSync(join(root, "home-"));
  [out, err] = ["", ""];
  vi.stubEnv("HOME", home);
  for (const name of ["JUPYTER_DATA_DIR", "JUPYTER_PATH", "XDG_DATA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX"])
    vi.stubEnv(name, undefined);
  vi.spyOn(process.stdout, "on").mockReturnThis(); // every run of main() would leave a listener
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((err += String(text)), true));
  vi.spyOn(console, "log").mockImplementation((text: string) => void (out += `${text}\n`));
  vi.spyOn(console, "error").mockImplementation((text: string) => void (err += `${text}\n`));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** The exit code of `alignscope kernel …`, as a shell would see it; what it printed is in `out` and `err`. */
function kernel(...words: string[]): Promise<number> {
  [out, err] = ["", ""];
  return main(["node", "alignscope", "kernel", ...words]);
}

/** Where `--user` installs: with JUPYTER_DATA_DIR, so that the test is the same on every system. */
function userKernels(): string {
  vi.stubEnv("JUPYTER_DATA_DIR", join(home, "jupyter"));
  return join(home, "jupyter", "kernels");
}

describe("alignscope kernel install", () => {
  it("installs for the user and says in one line where and what to choose", async () => {
    const kernels = userKernels();
    for (const [words, verb] of [
      [[], "installed"],
      [["--user"], "replaced"],
    ] as const) {
      expect(await kernel("install", ...words)).toBe(0);
      expect(out).toBe(
        `${verb} the kernel alignscope in ${kernels}/alignscope: ` +
          'start `jupyter lab`, or open a notebook in VS Code, and choose "TypeScript (alignscope)"\n',
      );
      expect(err).toBe("");
    }
  });

  it.skipIf(process.platform !== "linux")("knows the user's folder without JUPYTER_DATA_DIR", async () => {
    expect(await kernel("install")).toBe(0);
    expect(readdirSync(join(home, ".local", "share", "jupyter", "kernels"))).toEqual(["alignscope"]);
  });

  it("takes name, text and variables", async () => {
    const words = [
      "--name",
      "ts-2",
      "--display-name",
      "TypeScript 2",
      "--env",
      "A=1",
      "B=x=y",
      "--env",
      "C=",
    ];
    const kernels = userKernels();
    expect(await kernel("install", ...words)).toBe(0);
    expect(out).toMatch(/^installed the kernel ts-2 in .* choose "TypeScript 2"\n$/);
    expect(JSON.parse(readFileSync(join(kernels, "ts-2", "kernel.json"), "utf8"))).toMatchObject({
      display_name: "TypeScript 2",
      env: { A: "1", B: "x=y", C: "" },
    });
  });

  it("installs below a prefix, and warns when Jupyter does not look there", async () => {
    const prefix = join(home, "opt");
    expect(await kernel("install", "--prefix", prefix)).toBe(0);
    expect(readdirSync(join(prefix, "share", "jupyter", "kernels"))).toEqual(["alignscope"]);
    expect(err).toBe(
      `alignscope: warning: Jupyter as it starts here does not look in ${prefix}/share/jupyter/kernels: ` +
        `only one that belongs to that prefix does, or one with JUPYTER_PATH=${prefix}/share/jupyter\n`,
    );
    vi.stubEnv("JUPYTER_PATH", join(prefix, "share", "jupyter"));
    expect(await kernel("install", "--prefix", prefix)).toBe(0);
    expect(err).toBe("");
  });

  it.each(["VIRTUAL_ENV", "CONDA_PREFIX"])("installs into the environment of %s", async (variable) => {
    vi.stubEnv(variable, join(home, "venv"));
    expect(await kernel("install", "--sys-prefix")).toBe(0);
    expect(out).toContain(`in ${home}/venv/share/jupyter/kernels/alignscope: `);
    expect(err).toBe("");
  });

  it("says what to do when no environment is active, in one line", async () => {
    expect(await kernel("install", "--sys-prefix")).toBe(1);
    expect(err).toBe(
      "alignscope: no Python environment is active (neither VIRTUAL_ENV nor CONDA_PREFIX is set): " +
        "activate one, or use --user or --prefix PATH\n",
    );
  });

  it("does not replace what is not its own, unless forced", async () => {
    const kernels = userKernels();
    mkdirSync(join(kernels, "alignscope"), { recursive: true });
    writeFileSync(join(kernels, "alignscope", "kernel.json"), '{"argv":["x"]}');
    expect(await kernel("install")).toBe(1);
    expect(err).toMatch(/^alignscope: \S+ is not a kernelspec that alignscope installed: [^\n]*--force\n$/);
    expect(await kernel("install", "--force")).toBe(0);
    expect(out).toMatch(/^replaced /);
  });

  it("says that a folder cannot be written, in one line", async () => {
    writeFileSync(join(home, "file"), "");
    expect(await kernel("install", "--prefix", join(home, "file"))).toBe(1);
    expect(err).toMatch(/^alignscope: cannot write \S+\/file\/share\/\S+ \(ENOTDIR: [^\n]+\n$/);
  });

  it.each([
    [["--user", "--prefix", "x"], "option '--user' cannot be used with option '--prefix <path>'"],
    [["--user", "--sys-prefix"], "option '--user' cannot be used with option '--sys-prefix'"],
    [["--sys-prefix", "--prefix", "x"], "option '--prefix <path>' cannot be used with option '--sys-prefix'"],
    [
      ["--name", "a b"],
      `option '--name <name>' argument 'a b' is invalid. expected letters, digits, ".", "_" and "-"`,
    ],
    [["--env", "A"], "option '--env <KEY=VALUE...>' argument 'A' is invalid. expected KEY=VALUE"],
    [["--env", "1A=1"], "option '--env <KEY=VALUE...>' argument '1A=1' is invalid. expected KEY=VALUE"],
    [["--display-name", " "], "option '--display-name <text>' argument ' ' is invalid. expected some text"],
    [["--prefix", ""], "option '--prefix <path>' argument '' is invalid. expected some text"],
  ])("refuses %j with exit code 2, and writes nothing", async (words, message) => {
    expect(await kernel("install", ...words)).toBe(2);
    expect(err).toBe(`alignscope: ${message}\n`);
    expect(readdirSync(home)).toEqual([]);
  });
});

describe("alignscope kernel uninstall", () => {
  it.each([["uninstall"], ["remove", "alignscope"], ["uninstall", "--name", "ALIGNSCOPE"]])(
    "removes its own and leaves others alone: %s %s",
    async (...words) => {
      const kernels = userKernels();
      mkdirSync(join(kernels, "other"), { recursive: true });
      await kernel("install");
      expect(await kernel(...words)).toBe(0);
      expect(out).toBe(`removed the kernel alignscope: ${kernels}/alignscope\n`);
      expect(readdirSync(kernels)).toEqual(["other"]);
    },
  );

  it("looks where it is told, and says of what is not there where it looked and what there is", async () => {
    const kernels = userKernels();
    const prefix = join(home, "opt");
    await kernel("install");
    await kernel("install", "--prefix", prefix, "--name", "second");
    expect(await kernel("uninstall", "second")).toBe(1);
    expect(err).toMatch(/^[^\n]+\n$/);
    expect(err).toContain(
      `alignscope: no kernel second in ${kernels} (Jupyter finds alignscope in ${kernels}`,
    );
    expect(await kernel("uninstall", "second", "--prefix", prefix)).toBe(0);
    expect(readdirSync(join(prefix, "share", "jupyter", "kernels"))).toEqual([]);
  });

  it("leaves alone what it has not installed", async () => {
    const other = join(userKernels(), "other");
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, "kernel.json"), '{"argv":["x"]}');
    expect(await kernel("uninstall", "other")).toBe(1);
    expect(err).toBe(
      `alignscope: ${other} is not a kernelspec that alignscope installed: left alone, delete the folder if it should go\n`,
    );
    expect(readdirSync(other)).toEqual(["kernel.json"]);
  });
});

describe("alignscope kernel list", () => {
  it("shows the kernel in place, what was installed and what cannot run", async () => {
    const kernels = userKernels();
    await kernel("install");
    mkdirSync(join(kernels, "lost"));
    writeFileSync(
      join(kernels, "lost", "kernel.json"),
      '{"argv":["node","/no/kernel.js"],"display_name":"Lost","language":"x"}',
    );
    expect(await kernel("list")).toBe(0);
    expect(out).toMatch(/^name +display name +language +interrupt +runs +whose +folder\n/);
    const own = "alignscope  TypeScript \\(alignscope\\)  typescript  \\w+ +yes   this project's, ";
    expect(out).toMatch(new RegExp(`\n${own}in place   \\S+/kernels/alignscope\n`));
    expect(out).toMatch(new RegExp(`\n${own}installed  ${kernels}/alignscope\n`));
    expect(out).toMatch(/\nlost +Lost +x +signal +no +\S+\/lost \(no \/no\/kernel\.js\)\n/);
  });

  it("is JSON for machines", async () => {
    const kernels = userKernels();
    await kernel("install");
    expect(await kernel("list", "--json")).toBe(0);
    const listed = JSON.parse(out) as ListedKernelspec[];
    expect(listed.filter(({ name }) => name === "alignscope")).toEqual(
      [
        { folder: join(projectRoot(), "kernels", "alignscope"), origin: "in place" },
        { folder: join(kernels, "alignscope"), origin: "installed" },
      ].map((place) => ({
        name: "alignscope",
        displayName: "TypeScript (alignscope)",
        language: "typescript",
        interruptMode: listed[0]?.interruptMode,
        project: projectRoot(),
        problem: null,
        hiddenBy: null,
        ...place,
      })),
    );
  });
});

it("alignscope kernel describes every command and option, and also answers to kernelspec", () => {
  const group = createProgram().commands.find((command) => command.name() === "kernel");
  expect(group?.aliases()).toEqual(["kernelspec"]);
  const flags = group?.commands.map((command) => [command.name(), command.options.map((o) => o.long)]);
  const places = ["--user", "--prefix", "--sys-prefix"];
  expect(flags).toEqual([
    ["install", [...places, "--name", "--display-name", "--env", "--force"]],
    ["uninstall", [...places, "--name"]],
    ["list", ["--json"]],
  ]);
  for (const command of group?.commands ?? []) {
    expect(command.description()).not.toBe("");
    for (const option of command.options) expect(option.description, option.flags).not.toBe("");
  }
});
