import { spawnSync } from "node:child_process";
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
import { executeNotebook } from "../../src/runner";
import { lockOutput } from "../../src/runner/output-lock";
import { notebookOf } from "./notebooks";

let folder: string;
let path: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  path = join(folder, "out.ipynb");
  lock = join(folder, ".out.ipynb.lock");
});
afterEach(() => rmSync(folder, { recursive: true }));

const leave = (holder: object) => writeFileSync(lock, JSON.stringify(holder));

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

describe("a lock left behind", () => {
  it("by a process that is gone is taken over", () => {
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    leave({ pid: gone, host: hostname(), began: null });
    const free = lockOutput(path);
    expect(JSON.parse(readFileSync(lock, "utf8"))).toMatchObject({ pid: process.pid });
    free();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.skipIf(!existsSync("/proc/self/stat"))(
    "by one whose number another process has now is taken over",
    () => {
      leave({ pid: process.pid, host: hostname(), began: "1" });
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
    leave({ pid: 1, host: "elsewhere", began: null });
    expect(() => lockOutput(path)).toThrow(`on elsewhere; if it is gone, remove ${lock}`);
  });
});
