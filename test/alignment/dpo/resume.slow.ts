import { spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { mulberry32 } from "../../../src/model/index.js";
import { filesOf, newRunFolder } from "./cases.js";

const CHILD = join(import.meta.dirname, "child.cjs");
const STEPS = 32;

interface Ended {
  code: number | null;
  signal: string | null;
  error: string;
  steps: number;
}

/** Runs the child until it ends, or until it has printed so many lines and has got so many milliseconds more. */
function train(
  folder: string,
  args: readonly string[] = [],
  { kill, limit }: { kill?: { lines: number; milliseconds: number }; limit?: number } = {},
): Promise<Ended> {
  const command = [process.execPath, CHILD, folder, ...args];
  const [program, ...rest] =
    limit === undefined ? command : ["bash", "-c", `ulimit -f ${limit}; exec "$@"`, "-", ...command];
  const child = spawn(program!, rest, { stdio: ["ignore", "pipe", "pipe"] });
  let [lines, error] = [0, ""];
  child.stderr.on("data", (data: Buffer) => (error += data.toString()));
  child.stdout.on("data", (data: Buffer) => {
    const before = lines;
    lines += data.toString().split("\n").length - 1;
    if (kill && before < kill.lines && lines >= kill.lines)
      setTimeout(() => child.kill("SIGKILL"), kill.milliseconds);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, error, steps: lines });
    });
  });
}

/** What an uninterrupted run leaves. */
let whole: Record<string, string>;

/** The final checkpoint, the policy and the log of a run that is over. */
function outcome(folder: string): Record<string, string> {
  const { current } = JSON.parse(readFileSync(join(folder, "checkpoint.json"), "utf8")) as {
    current: string;
  };
  return Object.fromEntries(
    Object.entries(filesOf(folder)).filter(
      ([path]) =>
        path.startsWith(`checkpoints/${current}`) || path.startsWith("policy") || path === "log.jsonl",
    ),
  );
}

function expectSame(folder: string): void {
  const own = outcome(folder);
  expect(Object.keys(own)).toEqual(Object.keys(whole));
  for (const [path, content] of Object.entries(whole)) expect(own[path] === content, path).toBe(true);
}

beforeAll(async () => {
  const folder = newRunFolder();
  const { code, error } = await train(folder);
  expect(error).toBe("");
  expect(code).toBe(0);
  whole = outcome(folder);
  expect(Object.keys(whole)).toContain("checkpoints/step-000032/optimizer.safetensors");
});

describe("a run that is started again with the same arguments ends as if it had not been interrupted, bit by bit", () => {
  test.each(["files", "rename", "pointer", "removal"])(
    "killed four times while it writes a checkpoint: before %s",
    async (stage) => {
      const folder = newRunFolder();
      for (const nth of ["1", "3", "2", "1"]) {
        const { signal } = await train(folder, ["--die", stage, nth]);
        expect(signal).toBe("SIGKILL");
      }
      expect((await train(folder)).code).toBe(0);
      expectSame(folder);
    },
  );

  test("killed at six moments that chance decides", async () => {
    const folder = newRunFolder();
    const random = mulberry32(11);
    let kills = 0;
    for (let i = 0; i < 6; i++) {
      const kill = { lines: 1 + Math.floor(random() * 8), milliseconds: random() * 60 };
      kills += Number((await train(folder, [], { kill })).signal === "SIGKILL");
    }
    expect(kills).toBeGreaterThan(0);
    expect((await train(folder)).code).toBe(0);
    expectSame(folder);
  });

  test("aborted by a signal, which leaves a checkpoint of the step it was at", async () => {
    const folder = newRunFolder();
    const { code, error } = await train(folder, ["--abort", "5"]);
    expect([code, error]).toEqual([1, expect.stringContaining("AbortError") as string]);
    expect(readdirSync(join(folder, "checkpoints"))).toContain("step-000005");
    await train(folder, ["--abort", "6"]);
    expect((await train(folder)).code).toBe(0);
    expectSame(folder);
  });

  test("started once more when it is over: nothing is trained, nothing changes", async () => {
    const folder = newRunFolder();
    await train(folder);
    const { code, steps } = await train(folder);
    expect([code, steps]).toEqual([0, 1]);
    expectSame(folder);
  });
});

describe("what is wrong with a folder", () => {
  const begun = newRunFolder();
  const copy = (): string => {
    const folder = newRunFolder();
    cpSync(begun, folder, { recursive: true });
    return folder;
  };
  const current = (folder: string): string =>
    (JSON.parse(readFileSync(join(folder, "checkpoint.json"), "utf8")) as { current: string }).current;

  beforeAll(async () => {
    await train(begun, ["--abort", "11"]);
    expect(current(begun)).toBe("step-000011");
  });

  test.each(["model.safetensors", "best/model.safetensors", "optimizer.safetensors", "state.json"])(
    "a damaged %s: the run goes on from the checkpoint before, to the same end",
    async (file) => {
      const folder = copy();
      const path = join(folder, "checkpoints", current(folder), file);
      truncateSync(path, 100);
      const { code, error } = await train(folder);
      expect([code, error]).toEqual([0, ""]);
      expectSame(folder);
    },
  );

  test("no whole checkpoint: said in one line, and nothing is removed", async () => {
    const folder = copy();
    for (const name of readdirSync(join(folder, "checkpoints"))) {
      writeFileSync(join(folder, "checkpoints", name, "optimizer.safetensors"), "");
    }
    const before = filesOf(folder);
    const { code, error } = await train(folder);
    expect(code).toBe(1);
    expect(error).toMatch(
      /^UserError: .*optimizer\.safetensors is damaged.*remove the folder to start anew\n$/,
    );
    expect(filesOf(folder)).toEqual(before);
  });

  test("other settings: refused, with what differs, and the run can still go on", async () => {
    const folder = copy();
    const { code, error } = await train(folder, ["--learning-rate", "2e-4"]);
    expect(code).toBe(1);
    expect(error).toMatch(/another run of DPO; different: learningRate \(0\.0001 there, 0\.0002 now\)/);
    expect((await train(folder)).code).toBe(0);
    expectSame(folder);
  });

  test("a log that lost lines is refused", async () => {
    const folder = copy();
    writeFileSync(join(folder, "log.jsonl"), "");
    const { code, error } = await train(folder);
    expect([code, error]).toEqual([
      1,
      expect.stringMatching(/log\.jsonl has 0 lines, the checkpoint .* after \d+/),
    ]);
  });

  test("log-probabilities of the reference that are damaged are computed again", async () => {
    const folder = copy();
    truncateSync(join(folder, "reference.safetensors"), 200);
    expect((await train(folder)).code).toBe(0);
    expectSame(folder);
  });

  test("a full disk: said in one line, the last checkpoint is whole, and with room again the run goes on", async () => {
    const folder = copy();
    // Blocks of 1024 bytes: enough for the log, not for a checkpoint.
    const { code, error } = await train(folder, [], { limit: 100 });
    expect(code).toBe(1);
    expect(error).toMatch(
      /^UserError: the checkpoint of step 12 could not be written: the file would be larger than allowed here; the checkpoint of step 11 is whole: make room and start again\n$/,
    );
    expect(readdirSync(join(folder, "checkpoints")).sort()).toEqual(
      readdirSync(join(begun, "checkpoints")).sort(),
    );
    expect((await train(folder)).code).toBe(0);
    expectSame(folder);
  });

  test("what a process that died left aside is removed", async () => {
    const folder = copy();
    cpSync(join(folder, "checkpoints", current(folder)), join(folder, "checkpoints", ".step-000099"), {
      recursive: true,
    });
    await train(folder);
    expect(existsSync(join(folder, "checkpoints", ".step-000099"))).toBe(false);
    expect(readdirSync(join(folder, "checkpoints"))).toHaveLength(2);
    rmSync(folder, { recursive: true });
  });
});

test("steps are as many as the pairs ask for", () => {
  expect(whole["log.jsonl"]?.match(/"kind":"train"/g)).toHaveLength(STEPS);
});
