import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";

const built = join(projectRoot(), "dist", "src", "cli", "blas-hint.js");

/** In a process of its own: a BLAS is looked for once. */
function hint(backend: string, blas: string): string {
  const script = `console.log(require(${JSON.stringify(built)}).blasHint(${backend}) ?? "nothing")`;
  const { stdout } = spawnSync(process.execPath, ["-e", script], {
    encoding: "utf8",
    env: { ...process.env, ALIGNSCOPE_BLAS: blas },
  });
  return stdout.trim();
}

it.skipIf(!existsSync(built))(
  "a long run on the CPU without a BLAS says what it costs (needs the build)",
  () => {
    expect(hint('"auto"', "/no/such/library.so")).toMatch(
      /^no BLAS: .*: on the CPU this takes two to three times as long as with one$/,
    );
    expect(hint("undefined", "none")).toContain("ALIGNSCOPE_BLAS=none");
    expect(hint('"webgpu"', "none")).toBe("nothing");
  },
);
