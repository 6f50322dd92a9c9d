import { expect, test } from "vitest";
import { wilson } from "../../src/lab/wilson.js";

const cases = (yes: number, n: number) => Array.from({ length: n }, (_, i) => i < yes);

test("a share's interval is Wilson's: the published values of 5 in 10 and of 81 in 263", () => {
  expect(wilson(cases(5, 10))).toEqual({
    value: 0.5,
    low: expect.closeTo(0.2366, 4),
    high: expect.closeTo(0.7634, 4),
    n: 10,
  });
  // Newcombe 1998, table I.
  expect(wilson(cases(81, 263)).low).toBeCloseTo(0.2553, 4);
  expect(wilson(cases(81, 263)).high).toBeCloseTo(0.3662, 4);
});

test("where no case or every case counts, the interval still has a width, and stays between 0 and 1", () => {
  expect(wilson(cases(0, 20))).toMatchObject({ value: 0, low: 0, high: expect.closeTo(0.1611, 4) });
  expect(wilson(cases(20, 20))).toMatchObject({ value: 1, low: expect.closeTo(0.8389, 4), high: 1 });
});

test("a share of nothing is refused", () => {
  expect(() => wilson([])).toThrow("expected at least one");
});
