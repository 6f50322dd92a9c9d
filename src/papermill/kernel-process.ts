import { type ChildProcess, spawn } from "node:child_process";
import { messageOf } from "@alignscope/base/errors";
import { kernelCommand, kernelEnvironment, type Kernelspec } from "jupyter-wire";

/** How a kernel's process ended. */
export interface KernelExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Why it never began. */
  startError?: string;
}

/** "its process ended with exit code 3" or "… signal SIGKILL", or why there never was one. */
export function describeEnd(exit: KernelExit): string {
  if (exit.startError !== undefined) return `its command cannot be run (${exit.startError})`;
  return `its process ended with ${describeExit(exit)}`;
}

/** "exit code 3" or "signal SIGKILL". */
export function describeExit(exit: KernelExit): string {
  return exit.signal ? `signal ${exit.signal}` : `exit code ${exit.code ?? "unknown"}`;
}

/**
 * A kernel's process in a process group of its own, so that what it started ends with it, and so that Ctrl-C in a
 * terminal reaches the runner, which then decides. None outlives this process: see {@link watchOverGroups}.
 */
export class KernelProcess {
  /** Settles when the process has ended. */
  readonly exited: Promise<KernelExit>;
  /** Undefined while it runs. */
  exit: KernelExit | undefined;
  readonly #child: ChildProcess;
  #tail = "";

  constructor(spec: Kernelspec, connectionFile: string, cwd: string, environment: Record<string, string>) {
    const [command, ...args] = kernelCommand(spec, connectionFile);
    const base = { ...process.env, ...environment };
    this.#child = spawn(command, args, {
      cwd,
      env: {
        ...base,
        ...kernelEnvironment(spec, base),
        // Kernels that know this name (ipykernel) end by themselves when this process is gone.
        JPY_PARENT_PID: String(process.pid),
        // Ours as well, also when this process is killed before the kernel can look who its parent is.
        PAPERMILL_TS_PID: String(process.pid),
      },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#tail = (this.#tail + text).slice(-TAIL_LENGTH);
      });
    }
    this.exited = new Promise((resolve) => {
      const settle = (exit: KernelExit): void => {
        this.exit ??= exit;
        resolve(this.exit);
      };
      this.#child.once("error", (error) => {
        settle({ code: null, signal: null, startError: messageOf(error) });
      });
      this.#child.once("exit", (code, signal) => settle({ code, signal }));
    });
    if (this.#child.pid !== undefined) watchOverGroups(this.#child.pid);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The end of what the process itself printed (not its cells): kernels that fail to start say why only there. */
  get printed(): string {
    return this.#tail.trim();
  }

  /** Sends the signal to the whole group; a group that is gone is fine. */
  signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) signalGroup(this.#child.pid, signal);
  }

  /** Ends what is left of the group: SIGTERM, and after `patienceMs` SIGKILL. */
  async end(patienceMs: number): Promise<void> {
    if (this.#child.pid === undefined) return;
    if (!this.exit) {
      this.signal("SIGTERM");
      await settledWithin(this.exited, patienceMs);
    }
    // Also when the kernel has ended: what it started may still be there.
    this.signal("SIGKILL");
    if (!this.exit) await this.exited;
    groups.delete(this.#child.pid);
  }
}

/** Whether the promise settles within that time. */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([
      promise.then(
        () => true,
        () => true,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

const TAIL_LENGTH = 65536;

const groups = new Set<number>();
let watching = false;

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Kills every group when this process exits, also when a signal ends it that nobody else handles. */
function watchOverGroups(group: number): void {
  groups.add(group);
  if (watching) return;
  watching = true;
  const killAll = (): void => {
    for (const each of groups) signalGroup(each, "SIGKILL");
  };
  process.once("exit", killAll);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const onSignal = (): void => {
      // Someone else handles it (the command line ends the run in good order): the exit hook above is enough.
      if (process.listenerCount(signal) > 1) return;
      killAll();
      process.removeListener(signal, onSignal);
      process.kill(process.pid, signal);
    };
    process.on(signal, onSignal);
  }
}

/** Waiting for an AbortSignal that lives longer than the wait: a run's signal outlives its hundreds of cells. */
export interface AbortWait {
  /** Resolves when the signal aborts; never otherwise. */
  aborted: Promise<void>;
  /** To be called when the wait is over. */
  stopListening(): void;
}

/**
 * Starts to wait. (Node can take a listener off by itself, by the option `signal` of addEventListener, but it forgets all
 * such listeners but the last when several wait for one signal, as notebooks that run at the same time do.)
 */
export function waitForAbort(signal: AbortSignal | undefined): AbortWait {
  let onAbort!: () => void;
  const aborted = new Promise<void>((resolve) => (onAbort = resolve));
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return { aborted, stopListening: () => signal?.removeEventListener("abort", onAbort) };
}
