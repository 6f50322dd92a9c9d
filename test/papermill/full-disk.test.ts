import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { formatNotebook, parseNotebook } from "../../src/jupyter/index.js";
import { mountSmallDisk, smallDiskMissing, type SmallDisk } from "../base/small-disk.js";
import { newFolder } from "../model/folders.js";
import { notebookOf } from "./notebooks.js";

const command = join(projectRoot(), "src", "papermill", "bin", "papermill-ts.mjs");

/** A notebook whose cell prints so many characters. */
function printing(characters: number): string {
  const folder = newFolder();
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${characters}.ipynb`);
  writeFileSync(path, formatNotebook(notebookOf([`console.log("x".repeat(${characters}))`])));
  return path;
}

/** Runs the command with a line of the shell, which `$0` and `$1` stand in for. */
function run(line: string, input = ""): { status: number | null; stderr: string } {
  return spawnSync("/bin/sh", ["-c", line, process.execPath, command], { encoding: "utf8", input });
}

const missing = smallDiskMissing();
describe.skipIf(missing !== undefined)(`a disk that becomes full in a run (${missing ?? "here"})`, () => {
  let disk: SmallDisk;
  beforeEach(() => (disk = mountSmallDisk(200)));
  afterEach(() => disk.remove());

  it("fails in one line that names the notebook, which is whole, as it was last written", () => {
    const output = join(disk.folder, "o.ipynb");
    expect(run(`"$0" "$1" "${printing(50_000)}" "${output}"`).status).toBe(0);
    const { status, stderr } = run(`"$0" "$1" --no-progress-bar "${printing(1_200_000)}" "${output}"`);
    expect(status).toBe(1);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(
      `papermill-ts: cannot open or write ${output}: no space is left on the disk; make room and run the same command again`,
    );
    const left = parseNotebook(readFileSync(output, "utf8"), output);
    expect(left.cells.at(-1)?.source).toContain("1200000");
    expect(readdirSync(disk.folder)).toEqual(["o.ipynb"]);
  });
});

describe.skipIf(process.platform !== "linux")("a standard output that takes nothing (needs Linux)", () => {
  it.each([
    ["the notebook", `"$0" "$1" --prepare-only - - > /dev/full`],
    ["the help", `"$0" "$1" --help > /dev/full`],
  ])("is an error in one line: %s", (_what, line) => {
    expect(run(line, formatNotebook(notebookOf(["1"])))).toMatchObject({
      status: 1,
      stderr:
        "papermill-ts: cannot open or write standard output: no space is left on the disk; make room and run the same command again\n",
    });
  });

  it("is none when its reader has seen enough", () => {
    const { status, stderr } = run(`"$0" "$1" --help | head -n 1`);
    expect([status, stderr]).toEqual([0, ""]);
  });
});
