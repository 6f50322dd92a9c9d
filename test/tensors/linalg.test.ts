import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { svd } from "../../src/tensors/linalg";

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * (b[i] as number), 0);

/** Numbers of ordinary size, zero among them; denormal ones, which no weight has, defeat the library. */
const thousandths = fc.integer({ min: -9999, max: 9999 }).map((value) => value / 1000);

const matrices = fc
  .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }))
  .chain(([rows, columns]) =>
    fc.array(fc.array(thousandths, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  );

describe("singular value decomposition", () => {
  test("|A v| is the singular value, values descend, right vectors are orthonormal where values are not zero", () => {
    fc.assert(
      fc.property(matrices, (rows) => {
        const { singularValues, rightVectors } = svd(rows);
        expect(singularValues).toHaveLength(Math.min(rows.length, (rows[0] as number[]).length));
        // Beside a large singular value a tiny one keeps fewer digits.
        const size = Math.max(1, singularValues[0] as number);
        singularValues.forEach((value, i) => {
          if (i > 0) expect(value).toBeLessThanOrEqual((singularValues[i - 1] as number) + 1e-9);
          const image = rows.map((row) => dot(row, rightVectors[i] as Float64Array));
          expect(Math.abs(Math.sqrt(dot(image, image)) - value)).toBeLessThan(1e-6 * size);
          if (value < 1e-4 * size) return;
          for (let j = 0; j <= i; j++) {
            expect(dot(rightVectors[i] as Float64Array, rightVectors[j] as Float64Array)).toBeCloseTo(
              i === j ? 1 : 0,
              8,
            );
          }
        });
      }),
    );
  });

  test("no rows, and rows of unequal length, are refused", () => {
    expect(() => svd([])).toThrow(/no rows/);
    expect(() => svd([[1, 2], [1]])).toThrow(/row 1 has length 1, expected 2/);
  });
});
