import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { freemem, homedir, tmpdir, totalmem } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { projectRoot } from "@alignscope/base/paths";
import { reach, type Reached } from "./reach.js";

/** How a program ended; it never throws and never outlives its time. */
export interface Ran {
  /** null where a signal ended it, it was not found, or its time was up. */
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  /** Why there is no exit code: no such program, or time was up. */
  failure: "missing" | "timeout" | null;
}

/** What the checks ask of the machine; tests give another. */
export interface Host {
  root: string;
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  nodeVersion: string;
  home: string;
  tmp: string;
  /** Runs a program without a shell, for `timeoutMs` at most. */
  run: (command: string, args: readonly string[], timeoutMs: number) => Promise<Ran>;
  /** The first program of that name on the PATH. */
  findProgram: (name: string) => string | undefined;
  /** A file's text; undefined where it cannot be read. */
  read: (path: string) => string | undefined;
  exists: (path: string) => boolean;
  /** Whether this user can make files in a folder, or, where it is not there yet, in the nearest one above. */
  writable: (folder: string) => boolean;
  /** Free bytes for this user on the disk of a folder, or of the nearest one above that is there. */
  freeBytes: (folder: string) => Promise<number>;
  memory: () => { total: number; free: number; limit: number | null };
  reach: (url: string, proxy: string | undefined, timeoutMs: number) => Promise<Reached>;
}

/** This machine. */
export function thisHost(): Host {
  return {
    root: projectRoot(),
    env: process.env,
    platform: process.platform,
    nodeVersion: process.versions.node,
    home: homedir(),
    tmp: tmpdir(),
    run,
    findProgram,
    read: (path) => {
      try {
        return readFileSync(path, "utf8");
      } catch {
        return undefined;
      }
    },
    exists: existsSync,
    writable: (folder) => {
      try {
        const at = nearest(folder);
        accessSync(at, constants.W_OK);
        return statSync(at).isDirectory();
      } catch {
        return false;
      }
    },
    freeBytes: async (folder) => {
      const { bavail, bsize } = await statfs(nearest(folder));
      return bavail * bsize;
    },
    memory: () => {
      const total = totalmem();
      const limit = process.constrainedMemory();
      return { total, free: freemem(), limit: limit > 0 && limit < total ? limit : null };
    },
    reach,
  };
}

function nearest(folder: string): string {
  for (let at = resolve(folder); ; at = dirname(at)) if (existsSync(at) || at === dirname(at)) return at;
}

function findProgram(name: string): string | undefined {
  const endings = process.platform === "win32" ? (process.env["PATHEXT"] ?? ".EXE").split(";") : [""];
  for (const folder of (process.env["PATH"] ?? "").split(delimiter).filter(Boolean)) {
    for (const ending of endings) {
      const path = join(folder, name + ending);
      try {
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}

const KEPT = 65_536;

/** Ends what still runs when this process does. */
const running = new Set<() => void>();
let watching = false;

function watchOver(kill: () => void): void {
  running.add(kill);
  if (watching) return;
  watching = true;
  process.once("exit", () => running.forEach((one) => one()));
}

function run(command: string, args: readonly string[], timeoutMs: number): Promise<Ran> {
  return new Promise((done) => {
    let [stdout, stderr] = ["", ""];
    let failure: Ran["failure"] = null;
    const viaShell = process.platform === "win32" && !command.endsWith(".exe");
    // A group of its own: what it starts ends with it.
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
      shell: viaShell,
    });
    const kill = (): void => {
      try {
        if (child.pid !== undefined)
          process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    };
    const timer = setTimeout(() => {
      failure = "timeout";
      kill();
      // Somebody who left the group may hold the pipes: they are not waited for.
      child.stdout.destroy();
      child.stderr.destroy();
    }, timeoutMs);
    const end = (code: number | null, signal: string | null): void => {
      clearTimeout(timer);
      running.delete(kill);
      done({ code: failure ? null : code, signal, stdout, stderr, failure });
    };
    watchOver(kill);
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout = (stdout + text).slice(-KEPT)));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-KEPT)));
    child.once("error", () => {
      failure ??= "missing";
      end(null, null);
    });
    child.once("close", end);
  });
}
