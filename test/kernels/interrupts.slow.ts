import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endSessions, KernelSession, type Answer } from "./kernel-session.js";

/* An interrupt ends what the cell runs, wherever it was written, lets it clear up, and leaves everything else alone. */

let kernel: KernelSession;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "interrupts-"));
  writeFileSync(
    join(folder, "local.ts"),
    `export let steps = 0;
export async function walk() { for (;;) { await new Promise((resolve) => setTimeout(resolve, 5)); steps++; } }
export class Walker { async walk() { await walk(); } }
export function spin() { for (;;) steps++; }`,
  );
  const library = join(folder, "node_modules", "spinner");
  mkdirSync(library, { recursive: true });
  writeFileSync(join(library, "package.json"), '{ "name": "spinner", "version": "1.0.0" }');
  writeFileSync(join(library, "index.js"), "exports.grind = () => { for (let n = 0; ; n++); };");
  kernel = await KernelSession.start({ cwd: folder });
  await kernel.execute(
    `import { steps, walk, Walker, spin } from "./local";
import { grind } from "spinner";
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
let polls = 0;
async function poll() { for (;;) { await pause(5); polls++; } }
async function persist() { for (;;) { try { await pause(5); polls++; } catch {} } }
function count() { for (;;) polls++; }
const now = () => polls + steps;`,
  );
}, 60_000);
afterAll(async () => {
  await endSessions();
  rmSync(folder, { recursive: true });
});

/** Runs a cell, and interrupts it once it says that it is on. */
async function interrupted(code: string): Promise<{ answer: Answer; ms: number }> {
  const { id, done } = await kernel.begin(`console.log("cell is on");\n${code}`);
  await kernel.saw(id, "cell is on");
  await sleep(60);
  const asked = performance.now();
  await kernel.interrupt();
  const answer = await done;
  return { answer, ms: performance.now() - asked };
}

it.each([
  ["a function of an earlier cell that waits", "await poll()"],
  ["a function of an earlier cell that computes", "count()"],
  ["functions of an earlier cell side by side", "await Promise.all([poll(), poll(), walk()])"],
  ["a function of a local module that waits", "await walk()"],
  ["a function of a local module that computes", "spin()"],
  ["a method of a local module's class", "await new Walker().walk()"],
  ["what was begun and is awaited later", "const begun = poll(); await pause(20); await begun"],
  ["a callback of a timer", "await new Promise<void>(() => setInterval(async () => { await poll(); }, 20))"],
  ["a loop that catches everything", "await persist()"],
  ["a loop that catches everything and never waits", "for (;;) try { count(); } catch {}"],
  ["a library's loop", "grind()"],
  [
    "a generator",
    "for await (const one of (async function* () { for (;;) yield await pause(5); })()) polls++",
  ],
])("it stops %s", async (_, code) => {
  const { answer, ms } = await interrupted(code);
  expect(answer.failure).toMatch(/^InterruptedError/);
  // Three seconds to clear up, and some for a busy machine.
  expect(ms).toBeLessThan(8000);
  await kernel.execute("await pause(50)");
  const { result: before } = await kernel.execute("now()");
  await kernel.execute("await pause(200)");
  expect((await kernel.execute("now()")).result).toBe(before);
});

it("it stops the compiler, whose next thread knows what the cells have declared", async () => {
  await kernel.execute("const typed: { a: number } = { a: 1 };");
  const { done } = await kernel.begin("[".repeat(20_000) + "]".repeat(20_000));
  await sleep(500);
  const asked = performance.now();
  await kernel.interrupt();
  expect((await done).failure).toMatch(/^InterruptedError/);
  expect(performance.now() - asked).toBeLessThan(8000);
  expect((await kernel.execute("typed.a + 1")).result).toBe("2");
  expect((await kernel.execute("typed.b")).failure).toContain("Property 'b' does not exist");
}, 60_000);

it("names have what they were assigned before", async () => {
  await interrupted(
    "const gathered: number[] = []; for (let n = 0; ; n++) { await pause(5); gathered.push(n); }",
  );
  expect((await kernel.execute("gathered.length > 2")).result).toBe("true");
  await interrupted("let sum = 0; for (;;) sum += 1;");
  expect((await kernel.execute("sum > 1000")).result).toBe("true");
});

it("`finally` runs whole, its awaits and what they call included, the innermost first", async () => {
  const { answer } =
    await interrupted(`async function close(name: string) { await pause(50); await pause(50); console.log("closed", name); }
async function work() { try { await poll(); } finally { await close("inner"); } }
try { await work(); } finally { await close("outer"); console.log("all closed"); }`);
  expect(answer.failure).toMatch(/^InterruptedError/);
  expect(answer.text()).toBe("cell is on\nclosed inner\nclosed outer\nall closed\n");
});

it("`finally` of code that computes runs too", async () => {
  const { answer } = await interrupted(
    'try { for (;;) polls++; } finally { await pause(20); console.log("saved"); }',
  );
  expect(answer.text()).toBe("cell is on\nsaved\n");
});

it("clearing up that does not end is ended", async () => {
  const { answer, ms } = await interrupted("try { await poll(); } finally { for (;;) await pause(5); }");
  expect(answer.failure).toMatch(/^InterruptedError/);
  expect(ms).toBeGreaterThan(2000);
  expect(ms).toBeLessThan(8000);
});

describe.skipIf(process.platform !== "linux")("a child process that a cell waits for (needs Linux)", () => {
  beforeAll(() => kernel.execute('import { execSync, spawn, spawnSync } from "node:child_process";'));

  it.each([
    ["is interrupted with what it has started", 'execSync("sleep 30; sleep 30")'],
    ["is killed if it does not end then", `execSync("trap '' INT; sleep 30; sleep 30", { stdio: "ignore" })`],
    ["ends with its cell, which asks no more", 'for (;;) spawnSync("sleep", ["30"])'],
    ["ends with its cell, which catches what it can", 'for (;;) try { execSync("sleep 30") } catch {}'],
  ])("%s", async (_what, code) => {
    const { answer, ms } = await interrupted(`let waited = false; ${code}; waited = true;`);
    expect(answer.failure).toMatch(/^InterruptedError/);
    expect(ms).toBeLessThan(5000);
    expect((await kernel.execute("waited")).result).toBe("false");
  });

  it("is another one than what runs in the background, and than what clears up", async () => {
    await kernel.execute('const background = spawn("sleep", ["60"]);');
    const { answer } = await interrupted(
      'try { execSync("sleep 30") } finally { execSync("sleep 1"); console.log("clear") }',
    );
    expect(answer.failure).toMatch(/^InterruptedError/);
    expect(answer.text()).toBe("cell is on\nclear\n");
    await interrupted("count()");
    const left = await kernel.execute(
      "const left = [background.exitCode, background.signalCode]; background.kill(); left",
    );
    expect(left.result).toBe("[ null, null ]");
  });
});

it("what other cells have left running is left alone", async () => {
  await kernel.execute(
    `let ticks = 0, beats = 0, ends = false;
void (async () => { while (!ends) { await pause(5); ticks++; } })();
const beat = setInterval(async () => { await pause(1); beats++; }, 5);`,
  );
  await interrupted("await poll()");
  await interrupted("count()");
  await kernel.execute("const [t0, b0] = [ticks, beats]; await pause(100);");
  expect((await kernel.execute("[ticks > t0, beats > b0].join()")).result).toBe("true,true");
  await kernel.execute("ends = true; clearInterval(beat);");
});

it(
  "a thousand at random moments stop the cell that they were meant for, and never the next",
  { timeout: 900_000 },
  async () => {
    const cells = [
      "await poll()",
      "count()",
      "for (;;) { await null; }",
      "for (;;) { await pause(1); count2(30); }",
      "try { await walk(); } finally { await pause(2); }",
      "grind()",
    ];
    await kernel.execute(
      "function count2(ms: number) { const end = Date.now() + ms; while (Date.now() < end) polls++; }",
    );
    let seed = 1;
    const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
    for (let n = 0; n < 1000; n++) {
      const { id, done } = await kernel.begin(`console.log("cell is on");\n${cells[n % cells.length] ?? ""}`);
      await kernel.saw(id, "cell is on");
      await sleep(random() * 20);
      await kernel.interrupt();
      expect((await done).failure, `interrupt ${n} of ${cells[n % cells.length] ?? ""}`).toMatch(
        /^InterruptedError/,
      );
      expect((await kernel.execute("6 * 7")).result, `after ${n}`).toBe("42");
    }
  },
);
