// A process of its own for lock.test.ts: takes the lock FILE in the way it is told, and says on stdout what came of it.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { hostname } from "node:os";

const [way, file, rounds, dead] = process.argv.slice(2);
const { closeSync, openSync, renameSync, rmSync, writeFileSync } = fs;
const pause = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

if (way === "race") {
  // A process may stand still before any call, which is when others come between; by itself it does so too seldom.
  for (const name of ["linkSync", "readFileSync", "renameSync", "rmSync"]) {
    const call = fs[name];
    fs[name] = (...given) => {
      if (Math.random() < 0.1) pause(Math.random() * 4);
      return call(...given);
    };
  }
  syncBuiltinESMExports();
}
const { takeLock } = await import("@alignscope/base/lock");
const take = () => takeLock(file, { what: "it", otherwise: "leave it" });

if (way === "block") {
  take();
  process.stdout.write("held\n", () => pause(Infinity)); // until it is killed
} else {
  // Again and again: gives it free, or leaves it as a holder does that dies.
  let held = 0;
  let shared = 0;
  while (held < Number(rounds)) {
    let free;
    try {
      free = take();
    } catch {
      pause(1); // another has it
      continue;
    }
    try {
      closeSync(openSync(`${file}.inside`, "wx"));
      pause(1);
      rmSync(`${file}.inside`);
    } catch {
      shared++;
    }
    held++;
    if (held % 4 === 0) {
      free();
    } else {
      const left = `${file}.${process.pid}`;
      writeFileSync(left, `${dead} 1 ${hostname()}  ${process.pid}-${held}`);
      renameSync(left, file);
    }
  }
  process.stdout.write(JSON.stringify({ held, shared }));
}
