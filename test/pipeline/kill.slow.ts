import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { mulberry32 } from "../../src/base/random.js";
import { plan, readState, verify } from "../../src/pipeline/index.js";
import { filesBelow } from "../../src/pipeline/provenance.js";
import { Series } from "./helpers.js";

const root = resolve(import.meta.dirname, "../..");
const MOMENTS = 20;
const MARKER = "ALIGNSCOPE_TEST_MARKER";

/** Processes whose environment bears this marker, with their command lines. */
function marked(marker: string): { pid: number; command: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const environ = readFileSync(`/proc/${name}/environ`, "utf8");
        if (!environ.includes(`${MARKER}=${marker}`)) return [];
        return [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, "utf8") }];
      } catch {
        return []; // It has just ended.
      }
    });
}

function start(series: Series, marker: string) {
  const options = ["--pipeline", series.file("pipeline.yaml"), "--profile", "small"];
  const script = join(root, "src/cli/bin/alignscope.mjs");
  const child = spawn(
    process.execPath,
    [script, "reproduce", ...options, "--outputs", series.outputs, "--jobs", "2"],
    { env: { ...process.env, [MARKER]: marker }, stdio: "ignore" },
  );
  return { child, ended: once(child, "exit") as Promise<[number | null, string | null]> };
}

/** Kills what `victim` names as soon as it names something; false when the run ended before. */
async function killed(victim: () => number | undefined, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const pid = victim();
    try {
      if (pid !== undefined) return process.kill(pid, "SIGKILL");
    } catch {
      // It had just ended: another one may begin.
    }
    await new Promise((done) => setTimeout(done, 5));
  }
  return false;
}

/** What belongs to a run that goes on, or did not end well, in its folder and in those below. */
function leftovers(outputs: string): string[] {
  return readdirSync(outputs, { recursive: true, encoding: "utf8" }).filter((path) =>
    /(^|\/)\.(staging|locks?)(\/|$)|\.failed\.ipynb$|\.(json|html|ipynb)\.\d+$/.test(path),
  );
}

/** What a run has left for others to read: artifacts, figures and tables, byte for byte. */
function results(outputs: string): Record<string, string> {
  return Object.fromEntries(
    ["artifacts", "figures", "tables"]
      .flatMap((folder) => filesBelow(join(outputs, folder)))
      .map((path) => [relative(outputs, path), readFileSync(path, "base64")]),
  );
}

describe.skipIf(!existsSync("/proc/self/environ") || !existsSync(join(root, "dist/src/cli/main.js")))(
  "a run that is killed (needs Linux and the build)",
  () => {
    it("is taken up by the next: same results, nothing finished computed again, no process left", async () => {
      const whole = new Series();
      const begun = Date.now();
      const undisturbed = start(whole, randomUUID());
      expect(await undisturbed.ended).toEqual([0, null]);
      const expected = results(whole.outputs);
      const length = Date.now() - begun;

      const random = mulberry32(7);
      const reached: string[] = [];
      const finished = new Set<number>();
      // A moment after the end of a run that was quicker than the first kills nothing, and does not count.
      for (let attempt = 0; reached.length < MOMENTS && attempt < 2 * MOMENTS; attempt++) {
        const series = new Series();
        const marker = randomUUID();
        const { child, ended } = start(series, marker);
        const killsKernel = reached.length % 2 === 1;
        await new Promise((done) => setTimeout(done, random() * length));
        const choice = random();
        const victim = await killed(() => {
          if (!killsKernel) return child.pid;
          const kernels = marked(marker).filter(({ pid }) => pid !== child.pid);
          return kernels[Math.floor(choice * kernels.length)]?.pid;
        }, child);
        const [code, signal] = await ended;
        // Alive are at most a kernel that has not yet looked for its parent.
        await vi.waitFor(() => expect(marked(marker)).toEqual([]), { timeout: 20_000, interval: 200 });
        if (!victim) continue;
        const moment = reached.length;
        reached.push(`${killsKernel ? "kernel" : "runner"}: ${code ?? signal}`);
        // A kernel that dies between its last cell and its end leaves a notebook that ran through.
        if (killsKernel) expect([0, 1, 138], `moment ${moment}`).toContain(code);
        else expect(signal, `moment ${moment}`).toBe("SIGKILL");
        const before = readState(series.outputs).notebooks;
        finished.add(Object.keys(before).length);

        const again = start(series, marker);
        expect(await again.ended, `moment ${moment}`).toEqual([0, null]);
        const after = readState(series.outputs).notebooks;
        expect(Object.keys(after).sort()).toEqual(Object.keys(readState(whole.outputs).notebooks).sort());
        for (const [name, { startedAt }] of Object.entries(before)) {
          expect(after[name]?.startedAt, `${name} was finished at moment ${moment}`).toBe(startedAt);
        }
        expect(results(series.outputs), `moment ${moment}`).toEqual(expected);
        expect((await verify(series.outputs)).findings, `moment ${moment}`).toEqual([]);
        expect(leftovers(series.outputs), `moment ${moment}`).toEqual([]);
        await vi.waitFor(() => expect(marked(marker)).toEqual([]), { timeout: 20_000, interval: 200 });
        expect((await plan(await series.open())).map(({ action }) => action)).toEqual(
          Object.keys(after).map(() => "skip"),
        );
      }
      console.log(`killed at ${MOMENTS} moments: ${reached.join(", ")}`);
      expect(reached).toHaveLength(MOMENTS);
      // Some before anything was finished, some later: otherwise nothing would be said of what is kept.
      expect(finished.size).toBeGreaterThan(1);
    });
  },
);
