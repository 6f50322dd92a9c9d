import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/** Whether Debian's snakemake and the build are there; a test that needs them skips by name. */
export const snakemakeIsThere =
  spawnSync("snakemake", ["--version"], { encoding: "utf8" }).status === 0 &&
  existsSync(join(root, "dist/src/cli/main.js"));

export interface Ended {
  status: number | null;
  out: string;
  err: string;
}

export function alignscope(...args: string[]): Ended {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "src/cli/bin/alignscope.mjs"), ...args],
    { cwd: root, encoding: "utf8" },
  );
  return { status, out: stdout, err: stderr };
}

/**
 * Starts Debian's snakemake, leader of a process group of its own.
 *
 * @param work where it keeps its memory, and its home
 */
export function startSnakemake(file: string, work: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const command = `alignscope=${process.execPath} ${join(root, "src/cli/bin/alignscope.mjs")}`;
  const child = spawn("snakemake", ["-s", file, "-d", work, "--config", command, ...args], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, HOME: work, ...env },
  });
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const ended = new Promise<{ status: number | null; err: string }>((done) => {
    // Not "close": whatever outlives a killed snakemake keeps the pipe open.
    child.on("exit", (status) => done({ status, err }));
  });
  return { child, ended, said: () => err };
}

export function snakemake(...args: Parameters<typeof startSnakemake>) {
  return startSnakemake(...args).ended;
}
