import { afterAll, expect, it } from "vitest";
import { endSessions, KernelSession } from "./kernel-session.js";

afterAll(endSessions);

it("1,000,000 lines of one turn arrive whole, in order, and idle after them", async () => {
  const kernel = await KernelSession.start();
  const answer = await kernel.execute("for (let n = 0; n < 1_000_000; n++) console.log(n);");
  const lines = Array.from({ length: 1_000_000 }, (_, line) => `${line}\n`).join("");
  expect(answer.text() === lines).toBe(true);
  expect(answer.messages.at(-1)?.content).toEqual({ execution_state: "idle" });
});
