import { describe, expect, test } from "vitest";
import { checkBackend } from "../../src/cli/check-backend.js";

describe("before any kernel starts, a backend named on the command line", () => {
  test("is refused in one line when there is none of that name, or when it cannot open", () => {
    expect(() => checkBackend("gpu")).toThrow(/^unknown backend: gpu \(expected one of auto, cuda, .*\)$/);
  });

  test("passes when it opens, when it is auto, and when none was named", () => {
    expect(checkBackend("wasm")).toMatch(/^backend wasm: CPU/);
    checkBackend("auto");
    checkBackend(undefined);
  });
});
