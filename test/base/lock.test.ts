import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HeldError, takeLock, withLock } from "../../src/base/lock.js";

const LONG_AGO = new Date(0);
const IT = { what: "it", otherwise: "leave it" };
const hasProc = existsSync("/proc/self/stat");

let folder: string;
let file: string;
let children: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  file = join(folder, "a.lock");
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  rmSync(folder, { recursive: true });
});

function start(...words: (string | number)[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "lock-child.mjs"), ...words.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** A process that holds the lock and does nothing else: its event loop stands still. */
async function blockedHolder(): Promise<ChildProcess> {
  const child = start("block", file);
  await once(child.stdout, "data");
  return child;
}

/** The number of a process that has ended. */
const ended = (): number => spawnSync(process.execPath, ["-e", ""]).pid;

describe("a lock", () => {
  it("is one taker's, and free again when that gives it back", () => {
    const free = takeLock(file, IT);
    expect(() => takeLock(file, IT)).toThrow(
      `another run (process ${process.pid}) is writing to it: wait for it, or leave it`,
    );
    free();
    free();
    takeLock(file, IT)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("given back twice is not taken from whoever took it in between, in the same process too", () => {
    const first = takeLock(file, IT);
    first();
    const second = takeLock(file, IT);
    first();
    expect(() => takeLock(file, IT)).toThrow(HeldError);
    second();
  });

  it("is given back when the work under it fails", async () => {
    await expect(withLock(file, IT, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is waited for, and one of those that wait has it at a time", async () => {
    let inside = 0;
    const work = async (): Promise<void> => {
      expect(++inside).toBe(1);
      await sleep(5);
      inside--;
    };
    await Promise.all(Array.from({ length: 5 }, () => withLock(file, IT, work, { lookEvery: 1 })));
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("a holder", () => {
  it("keeps the lock while its event loop is blocked, whatever the lock's age", async () => {
    const holder = await blockedHolder();
    utimesSync(file, LONG_AGO, LONG_AGO);
    let taken = false;
    const waiting = withLock(file, IT, async () => void (taken = true), { lookEvery: 5 });
    expect(() => takeLock(file, IT)).toThrow(`another run (process ${holder.pid})`);
    await sleep(500); // a hundred looks
    expect(taken).toBe(false);
    expect(readFileSync(file, "utf8")).toMatch(new RegExp(`^${holder.pid} `));
    await kill(holder);
    await waiting;
    expect(taken).toBe(true);
  });

  it("that is killed loses it at once", async () => {
    await kill(await blockedHolder());
    expect(existsSync(file)).toBe(true);
    takeLock(file, IT)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.skipIf(!hasProc)("that is killed loses it before its parent has asked how it ended", async () => {
    // The shell's child holds the lock; the shell becomes a program that never waits for it.
    const script = `"$0" "$1" block "$2" & exec sleep 600`;
    const parent = spawn(
      "sh",
      ["-c", script, process.execPath, join(import.meta.dirname, "lock-child.mjs"), file],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    children.push(parent);
    await once(parent.stdout, "data");
    const pid = Number.parseInt(readFileSync(file, "utf8"), 10);
    process.kill(pid, "SIGKILL");
    const isZombie = (): boolean => / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    while (!isZombie()) await sleep(5);
    takeLock(file, IT)();
    expect(isZombie()).toBe(true);
  });

  it.skipIf(!hasProc)("is not mistaken for another process that has its number now", () => {
    const free = takeLock(file, IT);
    const mine = readFileSync(file, "utf8");
    free();
    const [pid, began, ...rest] = mine.split(" ");
    writeFileSync(file, [pid, Number(began) - 1, ...rest].join(" "));
    takeLock(file, IT)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("on another machine keeps it, and the message says what to remove", async () => {
    writeFileSync(file, `${ended()} 1 elsewhere`);
    utimesSync(file, LONG_AGO, LONG_AGO);
    const message = `on elsewhere; if it is gone, remove ${file}) is writing to it: wait for it, or leave it`;
    expect(() => takeLock(file, IT)).toThrow(message);
    const waiting = withLock(file, IT, () => Promise.resolve(), { lookEvery: 5, elsewhereAtMost: 50 });
    await expect(waiting).rejects.toThrow(message);
    rmSync(file);
    takeLock(file, IT)();
  });

  it.skipIf(!hasProc)("in another container that bears this machine's name keeps it", () => {
    writeFileSync(file, `${ended()} 1 ${hostname()} pid:[1] x`);
    expect(() => takeLock(file, IT)).toThrow(`in another container of ${hostname()}; if it is gone, remove`);
  });
});

describe("a lock file that says nothing", () => {
  it("is about to be somebody's for a moment, and left behind afterwards", () => {
    writeFileSync(file, "");
    expect(() => takeLock(file, IT)).toThrow("another run has just begun to write to it");
    utimesSync(file, LONG_AGO, LONG_AGO);
    takeLock(file, IT)();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("processes that race for it", () => {
  it("never hold it together, holders that die included", { timeout: 120_000 }, async () => {
    const dead = ended();
    const racers = [0, 1, 2].map(() => start("race", file, 200, dead));
    const said = await Promise.all(
      racers.map(async (racer) => String((await once(racer.stdout, "data"))[0])),
    );
    expect(said.map((text) => JSON.parse(text))).toEqual(racers.map(() => ({ held: 200, shared: 0 })));
    expect(readdirSync(folder).filter((name) => name !== "a.lock")).toEqual([]);
  });
});
