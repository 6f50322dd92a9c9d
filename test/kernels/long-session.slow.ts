import { afterAll, expect, it } from "vitest";
import { endSessions, KernelSession } from "./kernel-session.js";

afterAll(endSessions);

const CELLS = 500;
/** Megabytes of front, compiler and executor together; what they really take is measured by `bench kernels`. */
const MOST = 400;

const title = `${CELLS} cells, each declaring names by those of the one before, keep values and types, and the kernel its size`;
it(title, { timeout: 300_000 }, async () => {
  const kernel = await KernelSession.start();
  await kernel.execute("const v0 = { n: 0 }; function f0(x: number) { return x; }");
  for (let n = 1; n < CELLS; n++) {
    const code = `const v${n} = { ...v${n - 1}, n: ${n} }; function f${n}(x: number) { return f${n - 1}(x) + v${n}.n; }`;
    expect((await kernel.execute(code)).failure).toBe("");
  }
  expect((await kernel.execute(`f${CELLS - 1}(0)`)).result).toBe(String((CELLS * (CELLS - 1)) / 2));
  expect((await kernel.execute(`v${CELLS - 1}.m`)).failure).toContain("Property 'm' does not exist");
  const code = `v${CELLS - 1}.`;
  const { content } = await kernel.request("shell", "complete_request", { code, cursor_pos: code.length });
  expect(content["matches"]).toEqual(["n"]);
  expect(kernel.memory()).toBeLessThan(MOST);
});
