import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { formatNotebook, parseNotebook } from "../../src/jupyter/index.js";
import { notebookOf } from "./notebooks.js";

const folder = mkdtempSync(join(tmpdir(), "papermill-pipes-"));
afterAll(() => rmSync(folder, { recursive: true }));
const input = join(folder, "in.ipynb");
const output = join(folder, "out.ipynb");
writeFileSync(input, formatNotebook(notebookOf(["# Only text"], "python3", "python")));
const program = `"${process.execPath}" "${join(projectRoot(), "src", "papermill", "bin", "papermill-ts.mjs")}" --prepare-only`;

/** A line of the shell, whose pipes are pipes (Node's own are sockets). */
function shell(line: string): Promise<{ stdout: string; stderr: string }> {
  rmSync(output, { force: true });
  return new Promise((done, fail) => {
    execFile("/bin/sh", ["-c", line], (error, stdout, stderr) =>
      error ? fail(new Error(stderr)) : done({ stdout, stderr }),
    );
  });
}

describe.skipIf(process.platform === "win32")(
  "a pipe takes the place of a path that is not given (C24)",
  () => {
    it.each([
      [`cat "${input}" | ${program}`],
      [`cat "${input}" | ${program} -`],
      [`cat "${input}" | ${program} - -`],
      [`${program} "${input}" | cat`],
      [`${program} "${input}" - | cat`],
    ])("%#: the notebook goes to standard output, and nothing to standard error", async (line) => {
      const { stdout, stderr } = await shell(line);
      expect(parseNotebook(stdout, "stdout").cells[0]?.source).toBe("# Only text");
      expect(stderr).toBe("");
    });

    it.each([[`cat "${input}" | ${program} "${output}"`], [`cat "${input}" | ${program} - "${output}"`]])(
      "%#: the notebook goes to the file, and nothing to standard output",
      async (line) => {
        const { stdout } = await shell(line);
        expect(stdout).toBe("");
        expect(existsSync(output)).toBe(true);
        expect(parseNotebook(readFileSync(output, "utf8"), "file").cells).toHaveLength(1);
      },
    );
  },
);
