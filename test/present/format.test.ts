import { describe, expect, it } from "vitest";
import { duration, fixed, formatNumber, percent, signed, significant } from "../../src/present/format.js";

describe("numbers in tables", () => {
  it("keep three significant digits unless told otherwise", () => {
    expect(significant(0.24512)).toBe("0.245");
    expect(significant(23.456)).toBe("23.5");
    expect(significant(0)).toBe("0");
    expect(significant(1199)).toBe("1199");
    expect(significant(561808)).toBe("561,808");
    expect(significant(0.00001234)).toBe("1.23e−5");
    expect(significant(-1234567.8, 2)).toBe("−1.2e6");
    expect(significant(12.3456, 4)).toBe("12.35");
  });

  it("say what is no number", () => {
    expect(significant(NaN)).toBe("NaN");
    expect(fixed(-Infinity, 2)).toBe("−∞");
  });

  it("never show a sign in front of nothing", () => {
    expect(fixed(-0.0001, 2)).toBe("0.00");
    expect(signed(-0.0001, 2)).toBe("0.00");
    expect(signed(0.0001, 2)).toBe("0.00");
    expect(signed(0)).toBe("0");
  });

  it("show the sign of a difference and the share as a percentage", () => {
    expect(signed(0.0123, 3)).toBe("+0.012");
    expect(signed(-0.208)).toBe("−0.208");
    expect(percent(0.4181)).toBe("41.8\u00a0%");
    expect(formatNumber(0.5, { kind: "percent", digits: 0 })).toBe("50\u00a0%");
    expect(formatNumber(1.5, { kind: "signed", digits: 1 })).toBe("+1.5");
  });

  it("tell durations as people do", () => {
    expect(duration(1_400)).toBe("1 s");
    expect(duration(75_000)).toBe("1 min 15 s");
    expect(duration(3_600_000)).toBe("1 h");
    expect(duration(5_400_000)).toBe("1 h 30 min");
  });
});
