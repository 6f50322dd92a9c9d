import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { messageOf, UserError } from "@alignscope/base/errors";
import type { ConnectionInfo } from "jupyter-wire/connection";
import type { ExecutorCommand } from "./executor-process.js";
import { Kernel } from "./kernel.js";
import type { Language } from "./language.js";
import { KernelSockets } from "./sockets.js";

export type { ExecutorCommand } from "./executor-process.js";
export type { Language } from "./language.js";

/** Milliseconds between two looks whether the parent is still there. */
const PARENT_CHECK = 1000;
const NUMBERS = ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"] as const;

/**
 * The front process of the kernel: owns the sockets of the connection and speaks Jupyter's protocol; the cells run in a
 * process of their own, started by `executor`, as `language` compiles them. Resolves when requests are answered; ends this process when the kernel is
 * shut down, when its parent is gone, and with exit code 1 when it cannot start.
 */
export async function startFront(
  connectionFile: string,
  executor: ExecutorCommand,
  language: Language,
): Promise<void> {
  const parent = process.ppid;
  // The runner says who it is: killed while this process was starting, it is nobody's parent any more. Not for cells to see.
  const runner = Number(process.env["PAPERMILL_TS_PID"]) || parent;
  delete process.env["PAPERMILL_TS_PID"];
  let sockets: KernelSockets;
  try {
    sockets = await KernelSockets.bind(readConnectionFile(connectionFile));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem =
      code && !messageOf(error).includes(code) ? `${code}: ${messageOf(error)}` : messageOf(error);
    process.stderr.write(`the kernel cannot start: ${problem}\n`);
    process.exit(1);
  }
  const kernel = new Kernel(sockets, executor, language, (code) => process.exit(code));
  process.on("exit", () => kernel.kill());
  process.on("SIGINT", () => kernel.interrupt());
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => void kernel.end(0));
  setInterval(() => {
    if (process.ppid !== parent || isGone(runner)) void kernel.end(1);
  }, PARENT_CHECK);
}

/** A timer's callback that is terminated leaves Node's count of callbacks wrong; it would end the process for that. */
const EXECUTOR_FLAGS = ["--no-force-async-hooks-checks"];

/** How the process that runs the cells is started; `packages` are folders of packages that cells are offered. */
export function executorCommand(packages: readonly string[] = []): ExecutorCommand {
  const flags = process.execArgv.filter((flag) => !flag.startsWith("--max-semi-space-size"));
  const script = fileURLToPath(new URL("../executor/main.js", import.meta.url));
  return [process.execPath, ...EXECUTOR_FLAGS, ...flags, script, ...packages];
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function readConnectionFile(path: string): ConnectionInfo {
  let info: Partial<ConnectionInfo>;
  try {
    info = JSON.parse(readFileSync(path, "utf8")) as Partial<ConnectionInfo>;
  } catch (error) {
    throw new UserError(`cannot read the connection file ${path} (${messageOf(error)})`);
  }
  const missing = NUMBERS.filter((name) => typeof info[name] !== "number");
  if (typeof info.ip !== "string") missing.push("ip" as never);
  if (missing.length) throw new UserError(`the connection file ${path} lacks ${missing.join(", ")}`);
  const { transport = "tcp", key = "", signature_scheme: scheme = "hmac-sha256" } = info;
  if (key !== "" && scheme !== "hmac-sha256") {
    throw new UserError(`the connection file ${path} asks for signatures by ${scheme}: expected hmac-sha256`);
  }
  return { ...(info as ConnectionInfo), transport, key };
}
