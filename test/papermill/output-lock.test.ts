import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { executeNotebook } from "../../src/papermill/index.js";
import { lockOutput } from "../../src/papermill/stores/local.js";
import { notebookOf } from "./notebooks.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  path = join(folder, "out.ipynb");
});
afterEach(() => rmSync(folder, { recursive: true }));

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
