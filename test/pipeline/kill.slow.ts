import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { mulberry32 } from "../../src/data/random";
import { readState, verify } from "../../src/pipeline";
import { filesBelow } from "../../src/pipeline/provenance";
import { Series } from "./helpers";

const root = resolve(__dirname, "../..");
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
      for (let moment = 0; moment < MOMENTS; moment++) {
        const series = new Series();
        const marker = randomUUID();
        const { child, ended } = start(series, marker);
        const killsKernel = moment % 2 === 1;
        await new Promise((done) => setTimeout(done, random() * length));
        const kernels = marked(marker).filter(({ pid }) => pid !== child.pid);
        const victim = killsKernel ? kernels[Math.floor(random() * kernels.length)]?.pid : child.pid;
        try {
          if (victim !== undefined) process.kill(victim, "SIGKILL");
        } catch {
          // It had just ended.
        }
        const [code, signal] = await ended;
        // Alive are at most a kernel that has not yet looked for its parent.
        await vi.waitFor(() => expect(marked(marker)).toEqual([]), { timeout: 20_000, interval: 200 });
        const before = readState(series.outputs).notebooks;
        reached.push(`${killsKernel ? "kernel" : "runner"}: ${code ?? signal}`);

        expect(await start(series, marker).ended).toEqual([0, null]);
        const after = readState(series.outputs).notebooks;
        for (const [name, { startedAt }] of Object.entries(before)) {
          expect(after[name]?.startedAt, `${name} was finished at moment ${moment}`).toBe(startedAt);
        }
        expect(results(series.outputs), `moment ${moment}`).toEqual(expected);
        expect((await verify(series.outputs)).findings, `moment ${moment}`).toEqual([]);
        expect(readdirSync(series.outputs).filter((name) => /^\.(staging|lock)/.test(name))).toEqual([]);
        await vi.waitFor(() => expect(marked(marker)).toEqual([]), { timeout: 20_000, interval: 200 });
      }
      console.log(`killed at ${MOMENTS} moments: ${reached.join(", ")}`);
      expect(reached.some((end) => end === "runner: SIGKILL")).toBe(true);
    });
  },
);
