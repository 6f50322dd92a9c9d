import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { executeNotebook } from "../../src/papermill/index.js";
import { lockOutput } from "../../src/papermill/output-lock.js";
import { notebookOf } from "./notebooks.js";

let folder: string;
let path: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  path = join(folder, "out.ipynb");
  lock = join(folder, ".out.ipynb.lock");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A lock's text: the process, when it began, and its machine. */
const leave = (pid: number, began = "", host = hostname()) => writeFileSync(lock, `${pid} ${began} ${host}`);

describe("an output", () => {
  it("is one run's at a time, told in one line, and free again afterwards", async () => {
    const free = lockOutput(path);
    const second = executeNotebook(notebookOf(["1"]), path, { prepareOnly: true });
    await expect(second).rejects.toThrow(
      `another run (process ${process.pid}) is writing to ${path}: wait for it, or name another output`,
    );
    lockOutput(join(folder, "other.ipynb"))();
    free();
    await executeNotebook(notebookOf(["1"]), path, { prepareOnly: true });
    expect(readdirSync(folder)).toEqual(["out.ipynb"]);
  });

  it("is one run's also by another name", () => {
    writeFileSync(path, "{}");
    symlinkSync(path, join(folder, "link.ipynb"));
    const free = lockOutput(path);
    expect(() => lockOutput(join(folder, "link.ipynb"))).toThrow("another run");
    free();
  });

  it("is free again when the run fails", async () => {
    const run = executeNotebook(notebookOf(["1"], "none-such"), path);
    await expect(run).rejects.toThrow("no such kernel");
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("of many runs that begin at one moment", () => {
  it("one gets the output, also when a dead run's lock is there", { timeout: 30_000 }, async () => {
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    leave(gone);
    const built = join(projectRoot(), "src", "papermill", "dist", "output-lock.js");
    const script = `
      try { require(${JSON.stringify(built)}).lockOutput(${JSON.stringify(path)}); console.log("mine"); }
      catch (error) { console.log(error.message); }
      process.stdin.on("end", () => process.exit()).resume();`;
    const runs = Array.from({ length: 4 }, () => spawn(process.execPath, ["-e", script]));
    const said = await Promise.all(runs.map(async ({ stdout }) => String((await once(stdout, "data"))[0])));
    const ended = runs.map((run) => once(run, "exit"));
    for (const run of runs) run.stdin.end();
    await Promise.all(ended);
    expect(said.filter((text) => text === "mine\n")).toHaveLength(1);
    expect(said.filter((text) => text.startsWith("another run"))).toHaveLength(3);
  });
});

describe("a lock left behind", () => {
  it("by a process that is gone is taken over", () => {
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    leave(gone);
    const free = lockOutput(path);
    expect(readFileSync(lock, "utf8")).toMatch(new RegExp(`^${process.pid} `));
    free();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.skipIf(!existsSync("/proc/self/stat"))(
    "by one whose number another process has now is taken over",
    () => {
      leave(process.pid, "1");
      lockOutput(path)();
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it("that nobody can read is taken over", () => {
    writeFileSync(lock, "?");
    lockOutput(path)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("on another machine is respected, and the message says what to remove", () => {
    leave(1, "", "elsewhere");
    expect(() => lockOutput(path)).toThrow(`on elsewhere; if it is gone, remove ${lock}`);
  });
});
