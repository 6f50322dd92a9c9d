import { afterAll, beforeAll, expect, it } from "vitest";
import { endSessions, KernelSession } from "./kernel-session.js";

let kernel: KernelSession;
beforeAll(async () => void (kernel = await KernelSession.start()));
afterAll(endSessions);

/** Begins a cell that first prints that it is on, interrupts it, and gives how it failed. */
async function interrupted(
  code: string,
  how: () => unknown = () => kernel.interrupt(),
): Promise<{ failure: string; id: string }> {
  const { id, done } = await kernel.begin(`console.log("cell is on");\n${code}`);
  await kernel.saw(id, "cell is on");
  await how();
  const { failure } = await done;
  return { failure, id };
}

/** The variables of before are gone, but the kernel goes on. */
async function isFresh(): Promise<void> {
  const next = await kernel.execute("1 + 1");
  expect(next.result).toBe("2");
  expect(next.text("stderr")).toContain("their variables are gone");
}

it("process.exit is an error of the cell that says why, and the kernel goes on with a fresh process", async () => {
  const answer = await kernel.execute('console.log("before"); process.exit(3);');
  expect(answer.text()).toBe("before\n");
  expect(answer.failure).toMatch(/^DeadKernelError: .*exit code 3.*process\.exit/);
  expect(answer.of("error")).toHaveLength(1);
  await isFresh();
});

it("a process that is killed, or aborts in native code, is an error of its cell", async () => {
  const killed = await kernel.execute('process.kill(process.pid, "SIGKILL"); while (true) {}');
  expect(killed.failure).toMatch(/^DeadKernelError: .*SIGKILL/);
  await isFresh();
  const aborted = await kernel.execute("process.abort()");
  expect(aborted.failure).toMatch(/^DeadKernelError: .*SIGABRT/);
  await isFresh();
});

it("a heap that is exhausted is an error of its cell that says so", { timeout: 120_000 }, async () => {
  const small = await KernelSession.start({ flags: ["--max-old-space-size=200"] });
  const answer = await small.execute(
    "const all: object[] = []; while (true) all.push({ n: all.length, list: [1, 2] });",
  );
  expect(answer.failure).toMatch(/^DeadKernelError: .*heap is exhausted.*--max-old-space-size/);
  expect((await small.execute("1 + 1")).result).toBe("2");
});

it.each([
  ["while(true){}, by a message", "while (true) {}", () => kernel.interrupt()],
  ["while(true){}, by SIGINT to the kernel's process", "while (true) {}", () => kernel.signal("SIGINT")],
  ["a cell that awaits what never comes", "await new Promise(() => {});", () => kernel.interrupt()],
  [
    "a loop after an await",
    "await new Promise((done) => setTimeout(done, 10));\nwhile (true) {}",
    () => kernel.interrupt(),
  ],
])("an interrupt ends %s, and the next cell runs", async (_, code, how) => {
  const { failure, id } = await interrupted(code, how);
  expect(failure).toMatch(/^InterruptedError/);
  expect(kernel.about(id).filter(({ header }) => header.msg_type === "error")).toHaveLength(1);
  expect((await kernel.execute("await null; 'fine'")).result).toBe("fine");
});

it("an interrupt ends an expression that the front end asked for with the cell", async () => {
  const expressions = { endless: "(() => { console.log('it is on'); while (true) {} })()" };
  const { id, done } = await kernel.begin("1", { user_expressions: expressions });
  await kernel.saw(id, "it is on");
  await kernel.interrupt();
  expect((await done).content["user_expressions"]).toMatchObject({
    endless: { status: "error", ename: "InterruptedError" },
  });
  expect((await kernel.execute("2")).result).toBe("2");
});

it("an interrupt stops the cell it was meant for, and never the next, however often", async () => {
  for (let time = 0; time < 8; time++) {
    const code =
      time % 2
        ? "await new Promise((d) => setTimeout(d, 5)); while (true) {}"
        : "await new Promise(() => {});";
    expect((await interrupted(code)).failure).toMatch(/^InterruptedError/);
    await kernel.interrupt(); // Nothing runs now.
    expect((await kernel.execute(`await null; ${time}`)).result).toBe(String(time));
  }
}, 120_000);

it("an interrupt ends a loop in a function of an earlier cell, after an await, and the variables stay", async () => {
  await kernel.execute("const stays = 5; async function spin() { await null; while (true) {} }");
  expect((await interrupted("await spin();")).failure).toMatch(/^InterruptedError/);
  expect((await kernel.execute("stays")).result).toBe("5");
});

it("the work of a loop that awaits ends with its interrupt", async () => {
  await kernel.execute(
    "const turns = { of: 0 }; const tick = () => new Promise((done) => setTimeout(done, 1));",
  );
  expect((await interrupted("while (true) { await tick(); turns.of++; }")).failure).toMatch(
    /^InterruptedError/,
  );
  const { result } = await kernel.execute(`const first = turns.of;
await new Promise((done) => setTimeout(done, 100));
first === turns.of ? "still" : "goes on"`);
  expect(result).toBe("still");
});

it("an interrupt while nothing runs does not hit the next cell", async () => {
  await kernel.interrupt();
  expect((await kernel.execute("await null; 'fine'")).result).toBe("fine");
});
