import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Subscriber } from "zeromq";
import { socketAddress } from "../../../src/jupyter/index.js";
import { endFronts, Front } from "./front.js";

let front: Front;
beforeAll(async () => {
  front = await Front.start();
});
afterAll(endFronts);

const WAIT = `k.out("waits"); await k.sleep(20000);`;

describe("an interrupt", () => {
  it.each([
    ["by a message", async (running: Front) => void (await running.ask("interrupt_request", {}, "control"))],
    ["by SIGINT", (running: Front) => void running.process.kill("SIGINT")],
  ])("%s stops the running cell: its number goes over the lifeline", async (_, interrupt) => {
    await front.run("k.state.interrupts = []");
    const { id, done } = await front.send("execute_request", { code: WAIT });
    await front.saw(id, "stream");
    await interrupt(front);
    expect((await done).reply.content).toMatchObject({ status: "error", ename: "Interrupted" });
    const { text } = await front.run(
      "await k.sleep(20); k.out(k.state.interrupts.map((one) => one - k.execution).join())",
    );
    expect(text("stdout")).toBe("-1");
  });

  it("is answered, and does nothing when no cell runs", async () => {
    await front.run("k.state.interrupts = []");
    const { reply, iopub } = await front.ask("interrupt_request", {}, "control");
    expect(reply.content).toEqual({ status: "ok" });
    expect(iopub.map(({ content }) => content["execution_state"])).toEqual(["busy", "idle"]);
    const { text } = await front.run("k.out(String(k.state.interrupts.length))");
    expect(text("stdout")).toBe("0");
  });

  it("before the executor is ready fails the cell that waits for it", async () => {
    const young = await Front.start({ slow: 1000 });
    const { id, done } = await young.send("execute_request", { code: "" });
    await young.saw(id, "execute_input");
    await young.ask("interrupt_request", {}, "control");
    expect((await done).reply.content).toMatchObject({ status: "error", ename: "InterruptedError" });
    expect((await young.run("")).reply.content["status"]).toBe("ok");
  });
});

describe("a cell that asks for input", () => {
  const ASK = `k.out(JSON.stringify(await k.input("name? ", true)))`;
  const question = async (of: Front) => {
    const { message } = await of.until(() => of.received.find(({ channel }) => channel === "stdin"));
    of.received.splice(
      of.received.findIndex(({ channel }) => channel === "stdin"),
      1,
    );
    return message;
  };

  it("gets the answer of whoever runs it", async () => {
    const { id, done } = await front.send("execute_request", { code: ASK, allow_stdin: true });
    const asked = await question(front);
    expect(asked.header.msg_type).toBe("input_request");
    expect(asked.parentHeader.msg_id).toBe(id);
    expect(asked.content).toEqual({ prompt: "name? ", password: true });
    await front.client.reply("stdin", "input_reply", { value: "Ada" }, asked.header);
    expect((await done).text("stdout")).toBe('"Ada"');
  });

  it("gets none when the request does not allow it", async () => {
    const { text } = await front.run(ASK, { allow_stdin: false });
    expect(text("stdout")).toBe("null");
    expect((await front.run(ASK)).text("stdout")).toBe("null");
  });

  it("gets none when it is interrupted", async () => {
    const { done } = await front.send("execute_request", { code: ASK, allow_stdin: true });
    const asked = await question(front);
    await front.ask("interrupt_request", {}, "control");
    expect((await done).reply.content["ename"]).toBe("Interrupted");
    // Too late.
    await front.client.reply("stdin", "input_reply", { value: "late" }, asked.header);
    expect((await front.run("")).reply.content["status"]).toBe("ok");
  });

  it.each([
    ["before it asks", "await k.sleep(200);"],
    ["while it waits", ""],
  ])("gets none when whoever runs it has left %s", async (when, pause) => {
    const deserted = await Front.start();
    const watching = new Subscriber({ linger: 0 });
    watching.connect(socketAddress(deserted.info, "iopub"));
    watching.subscribe();
    await deserted.run("");
    const request = { code: `k.out("soon"); ${pause} ${ASK}`, allow_stdin: true };
    const { id } = await deserted.send("execute_request", request);
    await (when === "before it asks" ? deserted.saw(id, "stream") : question(deserted));
    await deserted.client.close();
    for await (const frames of watching) {
      if (frames.some((frame) => frame.includes('"text":"null"'))) break;
    }
    watching.close();
  });
});
