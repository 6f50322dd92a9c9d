import { describe, expect, it } from "vitest";
import { nearest, suggestion } from "../../src/base/nearest.js";

describe("the nearest names", () => {
  const names = ["lab", "lab-full", "gpt2", "gpt2-medium", "paper"];

  it("are those that contain what was typed, and those a letter or two away", () => {
    expect(nearest("medium", names)).toEqual(["gpt2-medium"]);
    expect(nearest("gtp2", names)).toEqual(["gpt2"]);
    expect(nearest("Paper", names)).toEqual(["paper"]);
  });

  it("become a question, or the whole list when nothing is near", () => {
    expect(suggestion("papr", names)).toBe("did you mean paper?");
    expect(suggestion("qqqqqq", names)).toBe("expected one of lab, lab-full, gpt2, gpt2-medium, paper");
  });
});
