import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { svd } from "../../src/tensors/linalg";

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * (b[i] as number), 0);

const matrices = fc
  .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }))
  .chain(([rows, columns]) =>
    fc.array(
      fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: columns, maxLength: columns }),
      {
        minLength: rows,
        maxLength: rows,
      },
    ),
  );

describe("singular value decomposition", () => {
  test("|A v| is the singular value, values descend, right vectors are orthonormal where values are not zero", () => {
    fc.assert(
      fc.property(matrices, (rows) => {
        const { singularValues, rightVectors } = svd(rows);
        expect(singularValues).toHaveLength(Math.min(rows.length, (rows[0] as number[]).length));
        singularValues.forEach((value, i) => {
          if (i > 0) expect(value).toBeLessThanOrEqual((singularValues[i - 1] as number) + 1e-9);
          const image = rows.map((row) => dot(row, rightVectors[i] as Float64Array));
          expect(Math.sqrt(dot(image, image))).toBeCloseTo(value, 8);
          if (value < 1e-6) return;
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
