import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Output } from "../../../kernels/typescript/front/output.js";
import { endFronts, Front, lazyReader } from "./front.js";

let front: Front;
beforeAll(async () => {
  front = await Front.start();
});
afterAll(endFronts);

describe("what a cell prints arrives whole", () => {
  it("in a line of 50 MB", async () => {
    const { text, output } = await front.run(`k.out("é".repeat(25e6)); k.err("x".repeat(100)); k.out("\\n")`);
    expect(text("stdout") === "é".repeat(25e6) + "\n").toBe(true);
    expect(text("stderr")).toHaveLength(100);
    expect(output.length).toBeLessThan(120);
  });

  it("in a million lines, which take few messages", async () => {
    const { text, output } = await front.run(`for (let n = 0; n < 1e6; n++) k.out(n + "\\n")`);
    const lines = text("stdout").split("\n");
    expect(lines).toHaveLength(1e6 + 1);
    expect(lines.slice(0, -1).every((line, n) => line === String(n))).toBe(true);
    expect(output.length).toBeLessThan(1500);
  });

  it("when it prints half of a character at a time, and a half that stays one is shown as such", async () => {
    const { text } = await front.run(`const bytes = Buffer.from("a😀b");
      for (const byte of bytes) { k.out(Buffer.of(byte)); k.err("-"); }
      k.out(Buffer.from("é").subarray(0, 1));`);
    expect(text("stdout")).toBe("a😀b\ufffd");
    expect(text("stderr")).toBe("------");
  });

  it("at once, when it is the first for a while", async () => {
    const { id, done } = await front.send("execute_request", { code: `k.out("now"); await k.sleep(300);` });
    await front.saw(id, "stream");
    expect(front.replyTo(id)).toBeUndefined();
    await done;
  });
});

describe("a client that does not read", () => {
  it("makes the cell wait instead of filling the memory, and gets everything once it reads", async () => {
    const slow = await Front.start();
    const lazy = await lazyReader(slow);
    const before = slow.memory();
    const megabytes = 200;
    const { id: cell, done } = await slow.send("execute_request", {
      code: `for (let n = 0; n < ${megabytes}; n++) k.out(String(n).padStart(1e6, "."));`,
    });
    const printed = (): number =>
      slow.received.filter(({ message }) => message.header.msg_type === "stream").length;
    // Until everything between the two is full.
    for (let before = -1; before !== printed(); await sleep(1000)) before = printed();
    // The front answers all the same while the cell is held up.
    const { id } = await slow.send("kernel_info_request", {});
    await slow.until(() => slow.replyTo(id));
    // In messages of half a megabyte.
    expect(printed()).toBeLessThan(megabytes);
    expect(slow.replyTo(cell)).toBeUndefined();
    expect(slow.memory() - before).toBeLessThan(150);

    let bytes = 0;
    void (async () => {
      for await (const frames of lazy) bytes += frames.at(-1)?.length ?? 0;
    })();
    const { text, reply } = await done;
    expect(reply.content["status"]).toBe("ok");
    expect(text("stdout")).toHaveLength(megabytes * 1e6);
    while (bytes < megabytes * 1e6) await sleep(20);
    lazy.close();
  });

  it("does not hold up anyone once it is gone", async () => {
    const gone = await lazyReader(front);
    const { done } = await front.send("execute_request", {
      code: `for (let n = 0; n < 200; n++) k.out("x".repeat(1e6));`,
    });
    await sleep(300);
    gone.close();
    expect((await done).text("stdout")).toHaveLength(200e6);
  });
});

describe("gathering text", () => {
  const published: string[] = [];
  const output = new Output((stream, execution, text) => {
    published.push(`${stream} ${execution} ${text}`);
    return Promise.resolve();
  });
  const bytes = Buffer.from;

  it("joins neighbours of one stream and cell, and keeps the order with everything else", async () => {
    for (const letter of "abc") void output.text("stdout", 1, bytes(letter));
    void output.text("stderr", 1, bytes("d"));
    void output.text("stderr", 2, bytes("e"));
    void output.send(() => Promise.resolve(void published.push("display")));
    void output.text("stderr", 2, bytes("f"));
    await output.finish(2);
    expect(published).toEqual(["stdout 1 abc", "stderr 1 d", "stderr 2 e", "display", "stderr 2 f"]);
  });
});
