import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { parseNotebook } from "../../src/jupyter/index.js";
import { executeNotebook } from "../../src/papermill/index.js";

/** A kernel that finds its shell port taken the first `times`, by a program that was quicker than it. */
function thief(times: number): { name: string; starts: () => number } {
  const folder = mkdtempSync(join(tmpdir(), "alignscope-port-"));
  const before = process.env["JUPYTER_PATH"];
  process.env["JUPYTER_PATH"] = folder;
  onTestFinished(() => {
    if (before === undefined) delete process.env["JUPYTER_PATH"];
    else process.env["JUPYTER_PATH"] = before;
    rmSync(folder, { recursive: true, force: true });
  });
  const notes = join(folder, "starts");
  const script = join(folder, "thief.cjs");
  writeFileSync(
    script,
    `const fs = require("fs"), net = require("net"), { spawn } = require("child_process");
     fs.appendFileSync(${JSON.stringify(notes)}, "x");
     const connection = process.argv[2], { shell_port } = JSON.parse(fs.readFileSync(connection, "utf8"));
     const kernel = () => spawn(process.execPath, [${JSON.stringify(join(projectRoot(), "kernels/typescript/dist/main.js"))}, connection], { stdio: "inherit" })
       .on("exit", (code) => process.exit(code ?? 1));
     if (fs.readFileSync(${JSON.stringify(notes)}, "utf8").length > ${times}) kernel();
     else net.createServer().listen(shell_port, "127.0.0.1", kernel);`,
  );
  mkdirSync(join(folder, "kernels", "thief"), { recursive: true });
  const argv = [process.execPath, script, "{connection_file}"];
  writeFileSync(
    join(folder, "kernels", "thief", "kernel.json"),
    JSON.stringify({ argv, display_name: "thief", language: "typescript", interrupt_mode: "message" }),
  );
  return {
    name: "thief",
    starts: () => (existsSync(notes) ? readFileSync(notes, "utf8").length : 0),
  };
}

const notebook = (kernel: string) =>
  parseNotebook(
    JSON.stringify({
      ...{ nbformat: 4, nbformat_minor: 5 },
      metadata: { kernelspec: { name: kernel, display_name: kernel, language: "typescript" } },
      cells: [
        { id: "a", cell_type: "code", metadata: {}, source: "1 + 1", outputs: [], execution_count: null },
      ],
    }),
    "sum",
  );

it("starts the kernel with new ports when another program takes one before the kernel binds it", async () => {
  const kernel = thief(1);
  const run = await executeNotebook(notebook(kernel.name), null);
  expect(JSON.stringify(run.cells[0])).toContain('"2"');
  expect(kernel.starts()).toBe(2);
});

it("gives up after three attempts, and says that the address is in use", async () => {
  const kernel = thief(99);
  await expect(executeNotebook(notebook(kernel.name), null)).rejects.toThrow(
    /the kernel thief did not start: [^]*(EADDRINUSE|address (already )?in use)/i,
  );
  expect(kernel.starts()).toBe(3);
});
