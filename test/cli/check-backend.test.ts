import { describe, expect, test, vi } from "vitest";
import { checkMachine, openElsewhere } from "../../src/cli/check-backend.js";
import { openProject } from "../../src/pipeline/index.js";

const project = async (profile: string, parameters: Record<string, string> = {}) =>
  openProject({ profile, parameters });
const wasm = vi.fn(() => ({ backend: "wasm" as const, memoryLimitBytes: 2 ** 32 }));
const whole = { part: false, open: wasm };

describe("before any kernel starts, a backend", () => {
  test("is refused in one line when there is none of that name, or when it cannot open", async () => {
    await expect(checkMachine(await project("lab", { backend: "gpu" }), { part: false })).rejects.toThrow(
      /^unknown backend: gpu \(expected one of auto, cuda, .*\)$/,
    );
  });

  test("opens in a process of its own, and says what it is and what it can hold", () => {
    const { words, ...opened } = openElsewhere("wasm");
    expect(words).toMatch(/^backend wasm: CPU/);
    expect(opened).toEqual({ backend: "wasm", memoryLimitBytes: expect.closeTo(2 ** 32, -6) as number });
  });

  test("passes when the profile fits, and is not even opened for a small one that leaves the choice open", async () => {
    expect(await checkMachine(await project("lab", { backend: "auto" }), whole)).toBeUndefined();
    expect(await checkMachine(await project("lab"), whole)).toBeUndefined();
    expect(wasm).not.toHaveBeenCalled();
    expect(await checkMachine(await project("lab", { backend: "wasm" }), whole)).toBeUndefined();
    expect(wasm).toHaveBeenCalledWith("wasm");
  });

  test("is refused when the profile's tensors do not fit on it, with both in GB and what to do", async () => {
    await expect(checkMachine(await project("paper"), whole)).rejects.toThrow(
      /^the profile paper takes 21 GB of tensors \(.+\), and wasm has \d(\.\d+)? GB here: choose another backend \(--backend\)/,
    );
    expect(wasm).toHaveBeenLastCalledWith("auto");
  });

  test("is only warned of where a part of the series, or other values, may do with less", async () => {
    const said = /^the profile paper takes 21 GB .* wasm has/;
    expect(await checkMachine(await project("paper"), { ...whole, part: true })).toMatch(said);
    expect(await checkMachine(await project("paper", { pairBatch: "16" }), whole)).toMatch(said);
  });
});
