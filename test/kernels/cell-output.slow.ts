import { setTimeout as sleep } from "node:timers/promises";
import { Subscriber } from "zeromq";
import { afterAll, beforeAll, expect, it } from "vitest";
import { socketAddress } from "../../src/jupyter/index.js";
import { endSessions, KernelSession } from "./kernel-session.js";

let kernel: KernelSession;
beforeAll(async () => void (kernel = await KernelSession.start()));
afterAll(endSessions);

/** The lines `0` to `count - 1`, as a loop of console.log gives them. */
function numbered(count: number): string {
  return Array.from({ length: count }, (_, line) => `${line}\n`).join("");
}

const bursts = [500, 20_000, 100_000];
it.each(bursts)(
  "%i lines of one turn arrive whole, in order, and idle after them",
  { timeout: 120_000 },
  async (count) => {
    const answer = await kernel.execute(`for (let n = 0; n < ${count}; n++) console.log(n);`);
    expect(answer.text() === numbered(count)).toBe(true);
    expect(answer.messages.at(-1)?.content).toEqual({ execution_state: "idle" });
    expect(answer.failure).toBe("");
  },
);

it("a line of 50 MB arrives whole", async () => {
  const answer = await kernel.execute('process.stdout.write("é".repeat(25_000_000) + "\\n");');
  expect(answer.text() === `${"é".repeat(25_000_000)}\n`).toBe(true);
});

it("characters that were written in pieces, cut anywhere, arrive whole, and bytes that are no text as U+FFFD", async () => {
  const pieces =
    await kernel.execute(`for (const byte of Buffer.from("a😀é名\\n")) process.stdout.write(Buffer.of(byte));
process.stderr.write(Buffer.from("😀").subarray(0, 2));
process.stdout.write("between");
process.stderr.write(Buffer.from("😀").subarray(2));
process.stdout.write(Buffer.from([0xff, 0x41, 0xe2, 0x82]));`);
  expect(pieces.text()).toBe("a😀é名\nbetween\ufffdA\ufffd");
  expect(pieces.text("stderr")).toBe("😀");
  // Longer than what travels at once, and shifted so that the cuts fall into a character.
  for (const shift of [0, 1, 2, 3]) {
    const long = await kernel.execute(`process.stdout.write("x".repeat(${shift}) + "😀".repeat(300_000));`);
    expect(long.text() === "x".repeat(shift) + "😀".repeat(300_000)).toBe(true);
  }
});

it("stdout, stderr, displays and the result keep their order", async () => {
  const { output } = await kernel.execute(`for (let n = 0; n < 200; n++) {
  console.log("out", n);
  console.error("err", n);
  kernel.display({ "text/plain": "shown " + n });
}
"end"`);
  const seen = output.map(({ content }) =>
    String(content["text"] ?? Object(content["data"])["text/plain"]).trim(),
  );
  const expected = Array.from({ length: 200 }, (_, n) => [`out ${n}`, `err ${n}`, `shown ${n}`]).flat();
  expect(seen).toEqual([...expected, "end"]);
});

it("a loop that does not pause is seen live", async () => {
  const cell = await kernel.begin(
    'for (let n = 0; n < 3; n++) { console.log("step", n); for (const end = Date.now() + 400; Date.now() < end; ); }',
  );
  let over = false;
  void cell.done.then(() => (over = true));
  for (const n of [0, 1, 2]) {
    await kernel.saw(cell.id, `step ${n}`);
    expect(over).toBe(false);
  }
  await cell.done;
});

it("what a timer prints after its cell is over still arrives", async () => {
  const { id, done } = await kernel.begin('setTimeout(() => console.log("late"), 300); "over"');
  expect((await done).text()).toBe("");
  await kernel.saw(id, "late");
});

it("a cell that is sent right after an error was answered is run, not skipped", async () => {
  for (let round = 0; round < 5; round++) {
    expect((await kernel.execute('throw new Error("allowed")')).failure).toBe("Error: allowed");
    const next = await kernel.execute(`"ran ${round}"`);
    expect([next.content["status"], next.result]).toEqual(["ok", `ran ${round}`]);
  }
});

it.each([
  [
    "Uncaught exception",
    'setTimeout(() => {\n  throw new TypeError("from a timer");\n}, 20);',
    /In \[\d+\]:2:9/,
  ],
  ["Unhandled rejection", '\nvoid Promise.reject(new TypeError("from a promise"));', /In \[\d+\]:2:21/],
])("%s: seen by the user with its cell and line, and the kernel goes on", async (kind, code, place) => {
  const { id } = await kernel.begin(code);
  await kernel.saw(id, kind);
  await kernel.until(() =>
    kernel
      .about(id)
      .map(({ content }) => String(content["text"] ?? ""))
      .join("")
      .match(place),
  );
  expect((await kernel.execute("1")).result).toBe("1");
});

it(
  "a client that reads slowly slows the cell down; the kernel keeps little for it",
  { timeout: 120_000 },
  async () => {
    const slow = await KernelSession.start();
    await slow.execute("1"); // The compiler is loaded.
    // Another subscriber, which takes nothing: its queue is full soon.
    const lazy = new Subscriber({ linger: 0, receiveHighWaterMark: 1 });
    lazy.connect(socketAddress(slow.info, "iopub"));
    lazy.subscribe();
    const { id, done } = await slow.begin(
      'for (let n = 0; n < 100; n++) process.stdout.write("x".repeat(999_999) + "\\n"); console.log("all");',
    );
    let over = false;
    void done.then(() => (over = true));
    const before = slow.frontMemory();
    let most = before;
    for (let n = 0; n < 30; n++) {
      await sleep(50);
      most = Math.max(most, slow.frontMemory());
    }
    expect(over).toBe(false);
    const reading = (async () => {
      for (;;) await lazy.receive();
    })();
    reading.catch(() => undefined);
    await slow.saw(id, "all");
    expect((await done).failure).toBe("");
    most = Math.max(most, slow.frontMemory());
    lazy.close();
    // 100 MB went through.
    expect(most - before).toBeLessThan(80);
  },
);
