import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { installKernelspec } from "../../kernels/typescript/install/index.js";

const folder = mkdtempSync(join(tmpdir(), "jupyter-kernel-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Debian: python3-jupyter-kernel-test. */
const suite = spawnSync("/usr/bin/python3", ["-c", "import jupyter_kernel_test"]).status === 0;

/** What the suite may leave out, and why. */
const NOT_OFFERED = {
  test_pager: "the kernel has no pager: payloads are deprecated, clients show what inspecting answers",
};

/** What the suite of Debian 12, 0.4.5, tests; later ones add to it. */
const TESTS = [
  "test_clear_output",
  "test_completion",
  "test_display_data",
  "test_error",
  "test_execute_result",
  "test_execute_stderr",
  "test_execute_stdout",
  "test_history",
  "test_inspect",
  "test_is_complete",
  "test_kernel_info",
  "test_pager",
];

interface Report {
  ran: string[];
  failures: Record<string, string[]>;
  errors: Record<string, string[]>;
  skipped: string[];
}

it.skipIf(!suite)(
  "the kernel, installed, passes Jupyter's own tests of a kernel, all but the pager (needs jupyter_kernel_test)",
  { timeout: 300_000 },
  () => {
    installKernelspec({ name: "alignscope", folder: projectRoot() }, "alignscope", {
      folder: join(folder, "kernels"),
    });
    const path = join(folder, "report.json");
    // What people keep at home, a history say, is neither read nor written.
    const home = {
      HOME: folder,
      JUPYTER_DATA_DIR: folder,
      JUPYTER_PATH: folder,
      XDG_DATA_HOME: undefined,
      XDG_STATE_HOME: undefined,
      XDG_CACHE_HOME: undefined,
    };
    const run = spawnSync(
      "/usr/bin/python3",
      [join(projectRoot(), "test", "kernels", "python", "kernel_tests.py"), path],
      {
        cwd: projectRoot(),
        env: { ...process.env, ...home },
        encoding: "utf8",
      },
    );
    console.log(run.stderr.trimEnd().split("\n").slice(-3).join("\n"));
    expect(existsSync(path), run.stderr).toBe(true);
    const { ran, ...went } = JSON.parse(readFileSync(path, "utf8")) as Report;
    expect(went).toEqual({ failures: {}, errors: {}, skipped: Object.keys(NOT_OFFERED) });
    expect(ran).toEqual(expect.arrayContaining(TESTS));
    expect(run.status).toBe(0);
  },
);
