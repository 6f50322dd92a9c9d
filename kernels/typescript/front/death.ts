import type { CellError } from "../wire/index.js";

/** As every other error begins. */
const RED = "\u001b[31m";
const PLAIN = "\u001b[0m";

/** How the executor process ended, and the end of what it wrote to its real stderr. */
export interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
  /** Why it never began. */
  startError?: string;
  /** Why it was ended from here. */
  killedFor?: string;
}

/** "ended with exit code 3 (process.exit was called?)", "could not be started (spawn node ENOENT)", … in one line. */
export function describeDeath({ code, signal, stderr, startError, killedFor }: Death): string {
  if (startError !== undefined) return `could not be started (${startError})`;
  if (killedFor !== undefined) return `was ended because ${killedFor}`;
  const how = `ended with ${signal ? `signal ${signal}` : `exit code ${code ?? "unknown"}`}`;
  const why = cause(code, signal, stderr);
  return why ? `${how} (${why})` : how;
}

/** The failure of the cell, or of whatever else was asked, that was being worked on when it happened. */
export function deathAtWork(death: Death, work: "cell" | "request"): CellError {
  const during = work === "cell" ? "while this cell ran" : "while it worked on this";
  return deadKernel(
    `the process that runs the cells ${describeDeath(death)} ${during}; variables are lost, a fresh process is ready`,
  );
}

/** The failure of every cell when no executor comes up. */
export function neverReady(death: Death, times: number): CellError {
  const reason = describeDeath(death);
  return deadKernel(
    `the process that runs the cells ${reason}, ${times} times before it was ready; restart the kernel once the cause is removed`,
    death.stderr,
  );
}

function deadKernel(evalue: string, stderr = ""): CellError {
  const ename = "DeadKernelError";
  const printed = stderr.trim();
  return {
    ename,
    evalue,
    traceback: [
      `${RED}${ename}${PLAIN}: ${evalue}`,
      ...(printed ? ["It had printed:", ...printed.split("\n")] : []),
    ],
  };
}

function cause(code: number | null, signal: NodeJS.Signals | null, stderr: string): string | undefined {
  if (/FATAL ERROR: [^\n]*heap (out of memory|limit)/i.test(stderr)) {
    return "the JavaScript heap is exhausted: keep less in variables, or give node a larger --max-old-space-size";
  }
  switch (signal) {
    case "SIGKILL":
      return "often the system being out of memory";
    case "SIGSEGV":
    case "SIGBUS":
    case "SIGILL":
    case "SIGFPE":
      return "a crash in native code";
    case "SIGABRT":
      return "native code or node itself gave up";
    case null:
      return code === null ? undefined : "process.exit was called, or an error that nobody could catch";
    default:
      return undefined;
  }
}
