import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { formatNotebook, readNotebook, type Notebook } from "../../src/jupyter/index.js";
import { codeCells, notebookOf, printed } from "./notebooks.js";

const folder = mkdtempSync(join(tmpdir(), "papermill-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

const fixture = (name: string) => join(import.meta.dirname, "notebooks", name);
const at = (name: string) => join(folder, name);

function start(...args: string[]) {
  const command = join(projectRoot(), "src", "papermill", "bin", "papermill-ts.mjs");
  const env = { ...process.env, JUPYTER_RUNTIME_DIR: at("runtime") };
  const child = spawn(process.execPath, [command, ...args], { cwd: projectRoot(), env });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

const papermill = (...args: string[]) => start(...args).ended;
const papermillRecord = (notebook: Notebook) => notebook.metadata["papermill"] as Record<string, unknown>;

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !condition(); waited += 50) {
    if (waited > 50_000) throw new Error(`waited in vain until ${what}`);
    await sleep(50);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("papermill-ts", () => {
  it("runs a notebook with parameters of every kind and shows a line per cell", async () => {
    writeFileSync(at("p.yaml"), "epochs: 5\nname: file\n");
    const args = ["-f", at("p.yaml"), "-p", "epochs", "-7", "-r", "name", "007", "-y", "{layers: [1, 2]}"];
    const { code, stderr } = await papermill(fixture("parameters.ipynb"), at("out.ipynb"), ...args);
    expect(stderr).toContain("Executing notebook with kernel: alignscope");
    expect(stderr).toContain("Executing 3/3: Show what came in");
    expect(code).toBe(0);
    const notebook = readNotebook(at("out.ipynb"));
    expect(codeCells(notebook).at(-1)?.outputs).toEqual([
      { output_type: "stream", name: "stdout", text: "-7 007 2\n" },
    ]);
    expect(papermillRecord(notebook)).toMatchObject({
      parameters: { epochs: -7, name: "007", layers: [1, 2] },
      input_path: fixture("parameters.ipynb"),
      output_path: at("out.ipynb"),
    });
  });

  it("ends with 1 and the cell's error when a cell fails, and with 138 when the kernel dies", async () => {
    const failing = await papermill(fixture("failing.ipynb"), at("failing.ipynb"));
    expect(failing.code).toBe(1);
    expect(failing.stderr).toMatch(/Exception encountered at "In \[1\]":[^]*TypeError: wrong/);
    const dying = await papermill(fixture("dying.ipynb"), at("dying.ipynb"), "--no-progress-bar");
    expect(dying.code).toBe(138);
    expect(dying.stderr).toContain("DeadKernelError");
  });

  it("writes the notebook and nothing else to standard output when it is -, and the text of cells to files", async () => {
    const files = ["--stdout-file", at("stdout.txt"), "--stderr-file", at("stderr.txt")];
    const { code, stdout, stderr } = await papermill(fixture("parameters.ipynb"), "-", ...files);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const notebook = JSON.parse(stdout) as Notebook;
    expect(notebook.metadata["papermill"]).toMatchObject({ output_path: "-", exception: null });
    expect(readFileSync(at("stdout.txt"), "utf8")).toBe("3 default 0\n");
    expect(readFileSync(at("stderr.txt"), "utf8")).toBe("");
  });

  it("prepares without a kernel", async () => {
    const args = ["--prepare-only", "-p", "epochs", "1", "--inject-paths", "-k", "none-such"];
    const { code } = await papermill(fixture("parameters.ipynb"), at("prepared.ipynb"), ...args);
    expect(code).toBe(0);
    const injected = codeCells(readNotebook(at("prepared.ipynb")))[1];
    expect(injected?.source.split("\n")).toEqual([
      "// Parameters",
      `const PAPERMILL_INPUT_PATH = ${JSON.stringify(fixture("parameters.ipynb"))};`,
      `const PAPERMILL_OUTPUT_PATH = ${JSON.stringify(at("prepared.ipynb"))};`,
      "let epochs: number = 1;",
      "",
    ]);
  });

  it("tells what a notebook takes", async () => {
    const { code, stdout } = await papermill("--help-notebook", fixture("parameters.ipynb"));
    expect(code).toBe(0);
    expect(stdout).toContain("  epochs: number (default 3)      How often.\n");
    expect(stdout).toContain("  layers: number[] (default [])\n");
    expect((await papermill("--help-notebook", fixture("failing.ipynb"))).code).toBe(1);
  });

  it("with --strict-parameters refuses all that does not fit, a line each, and writes nothing", async () => {
    const args = ["--strict-parameters", "-p", "epochs", "many", "-r", "sead", "1"];
    const { code, stderr } = await papermill(fixture("parameters.ipynb"), at("refused.ipynb"), ...args);
    expect(code).toBe(1);
    const said = stderr.split("\n").filter((line) => line.startsWith("papermill-ts"));
    expect(said).toEqual([
      'papermill-ts: parameter epochs: got "many", expected number',
      "papermill-ts: unknown parameter: sead (the notebook declares epochs, name, layers)",
    ]);
    expect(existsSync(at("refused.ipynb"))).toBe(false);
  });

  it("answers a wrong command line with 2 and wrong input with 1, in one line each", async () => {
    const wrong = async (...args: string[]) => {
      const { code, stderr } = await papermill(...args);
      return { code, lines: stderr.trimEnd().split("\n") };
    };
    const out = at("never.ipynb");
    writeFileSync(at("broken.ipynb"), "{");
    expect(await wrong("--no-such", "a", "b")).toEqual({
      code: 2,
      lines: [expect.stringContaining("--no-such")],
    });
    expect(await wrong("a", "b", "-p", "name")).toEqual({
      code: 2,
      lines: [expect.stringContaining("a name and a value")],
    });
    expect(await wrong("a", "b", "--start-timeout", "soon")).toEqual({
      code: 2,
      lines: [expect.stringContaining("seconds")],
    });
    expect(await wrong(at("none.ipynb"), out)).toEqual({
      code: 1,
      lines: [`papermill-ts: no such notebook: ${at("none.ipynb")}`],
    });
    expect(await wrong(at("broken.ipynb"), out)).toEqual({
      code: 1,
      lines: [expect.stringContaining("is not JSON")],
    });
    expect(await wrong(fixture("failing.ipynb"), out, "-k", "none-such")).toEqual({
      code: 1,
      lines: [expect.stringContaining("no such kernel: none-such (found ")],
    });
    expect(existsSync(out)).toBe(false);
  });
});

describe.skipIf(process.platform === "win32")("a run that is ended", () => {
  async function endWith(signal: NodeJS.Signals, name: string) {
    const run = start(fixture("waiting.ipynb"), at(`${name}.ipynb`), "--stdout-file", at(`${name}.txt`));
    const text = () => (existsSync(at(`${name}.txt`)) ? readFileSync(at(`${name}.txt`), "utf8") : "");
    await until(() => /kernel \d+ child \d+\n/.test(text()), "the cell has told its processes");
    const pids = [...text().matchAll(/\d+/g)].map(Number);
    expect(pids.map(isAlive)).toEqual([true, true]);
    run.child.kill(signal);
    return { ...(await run.ended), pids };
  }

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "by %s leaves no kernel, no child of it and no connection file, and a notebook that tells",
    async (signal, exitCode) => {
      const { code, stderr, pids } = await endWith(signal, signal);
      expect(code).toBe(exitCode);
      expect(stderr).toContain(`ended by ${signal}`);
      // A killed process is there until its parent, or the system in its place, has taken note.
      await until(() => !pids.some(isAlive), "both processes have ended");
      expect(readdirSync(at("runtime"))).toEqual([]);
      const [cell] = codeCells(readNotebook(at(`${signal}.ipynb`)));
      expect(cell?.metadata["papermill"]).toMatchObject({ status: "failed", exception: true });
    },
  );

  it("by SIGKILL leaves no kernel for long, nor what its cell had started: it notices", async () => {
    const { pids } = await endWith("SIGKILL", "SIGKILL");
    await until(() => !pids.some(isAlive), "both processes have ended");
  });

  it("by SIGKILL leaves a whole notebook that shows the cell that ran, and the next run may write it", async () => {
    const [input, output, text] = [at("killed-in.ipynb"), at("killed.ipynb"), at("killed.txt")];
    const wait = 'await new Promise((resolve) => setTimeout(resolve, 600)); console.log("still here");';
    const cells = [`console.log("kernel", process.pid);`, `${wait} await new Promise(() => {});`, "3"];
    writeFileSync(input, formatNotebook(notebookOf(cells)));
    const run = start(input, output, "--stdout-file", text);
    await until(
      () => existsSync(text) && readFileSync(text, "utf8").includes("still here"),
      "the cell has run for a while",
    );
    const [kernel] = (/\d+/.exec(readFileSync(text, "utf8")) ?? []).map(Number);
    expect(isAlive(kernel ?? 0)).toBe(true);
    run.child.kill("SIGKILL");
    await run.ended;
    const killed = readNotebook(output);
    const records = codeCells(killed).map((cell) => cell.metadata["papermill"]);
    expect(records).toMatchObject([
      { status: "completed", exception: false },
      { status: "running", exception: false, end_time: null },
      { status: "pending", exception: null },
    ]);
    expect(printed(codeCells(killed)[0])).toBe(`kernel ${kernel}\n`);
    expect(papermillRecord(killed)).toMatchObject({ exception: null, end_time: null });
    await until(() => !isAlive(kernel ?? 0), "the kernel has ended");
    // Nobody gave its lock free.
    expect((await papermill(fixture("parameters.ipynb"), output, "--prepare-only")).code).toBe(0);
  });
});
