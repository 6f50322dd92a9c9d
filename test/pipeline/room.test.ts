import { describe, expect, it } from "vitest";
import { hostMemory, PROCESSES_BYTES, roomOn, shortage } from "../../src/pipeline/index.js";

const profile = {
  ...{ name: "large", description: "", machine: "", parameters: {} },
  memory: { bytes: 5e9, source: "measured" },
};

describe("the room for tensors", () => {
  it("is the GPU's on cuda, and on the CPU what the processes and the backend's own limit leave", () => {
    expect(roomOn({ backend: "cuda", memoryLimitBytes: 80e9 })).toBe(80e9);
    expect(roomOn({ backend: "cpu", memoryLimitBytes: null })).toBe(hostMemory() - PROCESSES_BYTES);
    expect(roomOn({ backend: "wasm", memoryLimitBytes: 1000 })).toBe(1000);
  });

  it("is short only of a profile that says what it takes, where the room is known and less", () => {
    expect(shortage(profile, { backend: "wasm" }, 4.3e9)).toBe(
      "the profile large takes 5 GB of tensors (measured), and wasm has 4.3 GB here: choose another backend (--backend), " +
        "smaller batches (-p; `npx alignscope plan` lists them) or single notebooks (--only)",
    );
    expect(shortage(profile, { backend: "wasm" }, 5e9)).toBeUndefined();
    expect(shortage(profile, { backend: "webgpu" }, undefined)).toBeUndefined();
    const { memory: _, ...silent } = profile;
    expect(shortage(silent, { backend: "wasm" }, 0)).toBeUndefined();
  });
});
