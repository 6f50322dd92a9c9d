import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { writeNotebook } from "../../src/jupyter/index.js";
import { notebookOf } from "../papermill/notebooks.js";

const folder = mkdtempSync(join(tmpdir(), "lifetime-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function until(condition: () => boolean, seconds: number): Promise<boolean> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(100)) {
    if (condition()) return true;
  }
  return condition();
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const name = "a kernel whose runner is killed ends, also in the middle of a cell that never pauses";
it.skipIf(process.platform === "win32")(name, async () => {
  const pidFile = join(folder, "pid");
  const input = join(folder, "busy.ipynb");
  const code = `import * as fs from "node:fs";
fs.writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
for (const end = Date.now() + 50000; Date.now() < end; );`;
  writeNotebook(input, notebookOf([code]));
  const command = join(projectRoot(), "src", "papermill", "bin", "papermill-ts.mjs");
  const runner = spawn(process.execPath, [command, input, join(folder, "out.ipynb")], { stdio: "ignore" });
  try {
    expect(await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8") !== "", 40)).toBe(true);
    const kernel = Number(readFileSync(pidFile, "utf8"));
    expect(lives(kernel)).toBe(true);
    runner.kill("SIGKILL");
    const ended = await until(() => !lives(kernel), 12);
    if (!ended) process.kill(kernel, "SIGKILL");
    expect(ended).toBe(true);
  } finally {
    runner.kill("SIGKILL");
  }
});
