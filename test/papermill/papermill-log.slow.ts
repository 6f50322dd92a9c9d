import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { formatNotebook, readNotebook, type Notebook } from "../../src/jupyter/index.js";
import { executeNotebook } from "../../src/papermill/index.js";
import { codeCells, notebookOf, printed, type CellSpec } from "./notebooks.js";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "papermill-log-")));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

function papermill(cwd: string, ...args: string[]) {
  const command = join(projectRoot(), "src", "papermill", "bin", "papermill-ts.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    cwd,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}
const save = (path: string, cells: CellSpec[]) => writeFileSync(path, formatNotebook(notebookOf(cells)));

describe("--log-output", () => {
  const cells = [
    "# Text",
    'console.log("one\\ntwo"); console.error("careful");',
    'void kernel.display({ "text/plain": "shown", "text/html": "<b>shown</b>" })',
  ];

  it("tells what cells print and show, between papermill's lines, by the cell's place, without progress", () => {
    save(at("log.ipynb"), cells);
    const { status, stdout, stderr } = papermill(folder, "log.ipynb", "log-out.ipynb", "--log-output");
    expect(status).toBe(0);
    expect(stdout).toBe("");
    const lines = stderr.split("\n");
    expect(lines.slice(0, 4)).toEqual([
      "Input Notebook:  log.ipynb",
      "Output Notebook: log-out.ipynb",
      "Executing notebook with kernel: alignscope",
      `Executing Cell 2${"-".repeat(39)}`,
    ]);
    // Two streams may come in either order.
    expect(lines.slice(4, 7).sort()).toEqual(["careful", "one", "two"]);
    expect(lines.slice(7)).toEqual([
      `Ending Cell 2${"-".repeat(42)}`,
      `Executing Cell 3${"-".repeat(39)}`,
      "shown",
      `Ending Cell 3${"-".repeat(42)}`,
      "",
    ]);
  });

  it("tells errors' text as warnings and the rest as information", () => {
    const { stderr } = papermill(
      folder,
      "log.ipynb",
      "log-out.ipynb",
      "--log-output",
      "--log-level",
      "WARNING",
    );
    expect(stderr).toBe("careful\n");
  });

  it("is off unless asked for", () => {
    const { stderr } = papermill(folder, "log.ipynb", "log-out.ipynb");
    expect(stderr).toContain("Executing 1/2: ");
    expect(stderr).not.toMatch(/^(one|two|careful|shown|.* Cell .*)$/m);
  });
});

describe("--cwd (C9)", () => {
  it("is the kernel's; input and output are where the caller is", () => {
    for (const name of ["caller/in", "caller/out", "place"]) mkdirSync(at(name), { recursive: true });
    save(at("caller/in/notebook.ipynb"), ["console.log(process.cwd())"]);
    const paths = ["in/notebook.ipynb", "out/notebook.ipynb"];
    for (const place of [at("place"), "../place"]) {
      rmSync(at("caller/out/notebook.ipynb"), { force: true });
      const { status, stderr } = papermill(at("caller"), ...paths, "--cwd", place);
      expect(status, stderr).toBe(0);
      expect(stderr).toContain(`Working directory: `);
      const written = readNotebook(at("caller/out/notebook.ipynb"));
      expect(printed(codeCells(written)[0])).toBe(`${at("place")}\n`);
      expect(written.metadata["papermill"]).toMatchObject({ input_path: paths[0], output_path: paths[1] });
    }
  });
});

describe("the output while a notebook runs (C30)", () => {
  // papermill writes three cells eight times: at the begin, before and after each cell, and twice at the end. Here no cell
  // waits for the disk, and writes keep a pace, so their number depends on how long cells take. What is relied on is what
  // somebody who looks can find: the notebook before its first cell, a cell that runs while it runs, and all of it at last.
  it("is there before the first cell runs, shows the cell that runs, and is complete at the end", async () => {
    const output = at("saves.ipynb");
    const read = (): Notebook => JSON.parse(readFileSync(output, "utf8")) as Notebook;
    const statuses = () =>
      read().cells.map((cell) => (cell.metadata["papermill"] as { status: string }).status);
    const seen: Record<string, string[]> = {};
    let saves = 0;
    const slow = 'await new Promise((resolve) => setTimeout(resolve, 700)); console.log("late");';
    await executeNotebook(notebookOf(["1", slow, "3"]), output, {
      cwd: projectRoot(),
      onEvent: (event) => {
        if (event.type === "saved") saves++;
        if (event.type === "cell-started" && event.index === 0) seen["first"] = statuses();
        if (event.type === "output" && event.index === 1) seen["late"] = statuses();
      },
    });
    expect(seen).toEqual({
      first: ["pending", "pending", "pending"],
      late: ["completed", "running", "pending"],
    });
    expect(statuses()).toEqual(["completed", "completed", "completed"]);
    expect(read().metadata["papermill"]).toMatchObject({
      exception: null,
      end_time: expect.any(String) as string,
    });
    expect(saves).toBeGreaterThanOrEqual(3);
    expect(saves).toBeLessThanOrEqual(8);
  });
});
