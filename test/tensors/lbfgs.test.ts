import { describe, expect, it } from "vitest";
import { minimise } from "../../src/tensors/lbfgs.js";

describe("minimise", () => {
  it("finds the minimum of an ill-conditioned quadratic", () => {
    const scales = [1, 10, 1000];
    const { point, converged } = minimise((x, gradient) => {
      let value = 0;
      scales.forEach((scale, i) => {
        const off = (x[i] as number) - (i + 1);
        gradient[i] = 2 * scale * off;
        value += scale * off * off;
      });
      return value;
    }, new Float64Array(3));
    expect(converged).toBe(true);
    [1, 2, 3].forEach((expected, i) => expect(point[i]).toBeCloseTo(expected, 6));
  });
});
