import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gaussian } from "../../src/base/random.js";
import { listTensors, readTensor, type TensorEntry } from "../../src/tensors/safetensors.js";
import type { Golden } from "../../src/cli/parity/golden.js";
import { pca, svd } from "../../src/tensors/linalg.js";
import { TINY } from "../model/folders.js";

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

const matrixOf = (entry: fc.Arbitrary<number>, fewestRows = 1): fc.Arbitrary<number[][]> =>
  fc.tuple(fc.integer({ min: fewestRows, max: 7 }), fc.integer({ min: 1, max: 7 })).chain(([rows, columns]) =>
    fc.array(fc.array(entry, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  );

/** Small whole numbers, so that rows are often multiples of each other, or zero. */
const dependent = matrixOf(fc.integer({ min: -2, max: 2 }));
/** Any finite number that can be squared or not: of either sign, denormal, zero, up to 1e300. */
const anySize = matrixOf(fc.double({ noNaN: true, min: -1e300, max: 1e300 }));
const denormal = matrixOf(fc.double({ noNaN: true, min: -1e-308, max: 1e-308 }));
const mixed = matrixOf(
  fc.oneof(
    fc.constant(0),
    fc.integer({ min: -9, max: 9 }).map((value) => value * Number.MIN_VALUE),
    fc.double({ noNaN: true, min: -1, max: 1 }),
  ),
);

function expectOrthonormal(vectors: readonly Float64Array[], length: number): void {
  vectors.forEach((vector, i) => {
    expect(vector).toHaveLength(length);
    for (let j = 0; j <= i; j += 1) expect(dot(vector, vectors[j]!)).toBeCloseTo(i === j ? 1 : 0, 12);
  });
}

describe("singular value decomposition", () => {
  test.each([
    ["dependent rows", dependent],
    ["numbers of any size", anySize],
    ["denormal numbers", denormal],
    ["denormal numbers among others", mixed],
  ])("of %s: both sides are orthonormal, values descend, the product is the matrix", (_, matrices) => {
    fc.assert(
      fc.property(matrices, (rows) => {
        const { singularValues, rightVectors, leftVectors } = svd(rows, { left: true });
        const count = Math.min(rows.length, rows[0]!.length);
        for (const parts of [singularValues, rightVectors, leftVectors]) expect(parts).toHaveLength(count);
        expectOrthonormal(rightVectors, rows[0]!.length);
        expectOrthonormal(leftVectors, rows.length);
        singularValues.forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(0);
          if (i > 0) expect(value).toBeLessThanOrEqual(singularValues[i - 1]!);
        });
        const size = singularValues[0]! * 1e-13 + 8 * Number.MIN_VALUE;
        rows.forEach((row, i) =>
          row.forEach((entry, j) => {
            const terms = singularValues.map(
              (value, k) => value * leftVectors[k]![i]! * rightVectors[k]![j]!,
            );
            const rebuilt = terms.reduce((a, b) => a + b, 0);
            expect(Math.abs(rebuilt - entry)).toBeLessThanOrEqual(size);
          }),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("a row of denormal numbers has one direction, of length 1", () => {
    const { singularValues, rightVectors } = svd([[0, 2 * Number.MIN_VALUE, 6 * Number.MIN_VALUE]]);
    expect(singularValues[0]).toBe(6 * Number.MIN_VALUE); // √40 is 6.3 of them
    expect(Math.abs(rightVectors[0]![2]!)).toBeCloseTo(3 / Math.sqrt(10), 15);
  });

  test("of nothing but zeros, values are zero and directions orthonormal", () => {
    const { singularValues, rightVectors, leftVectors } = svd(
      Array.from({ length: 3 }, () => [0, 0, 0, 0, 0]),
      { left: true },
    );
    expect([...singularValues]).toEqual([0, 0, 0]);
    expectOrthonormal(rightVectors, 5);
    expectOrthonormal(leftVectors, 3);
  });

  test("of the golden model's value vectors, to 1e-8", () => {
    const { probe, top24, singular_values, svd_u_first3_sign_fixed_to_probe } = (
      JSON.parse(readFileSync(join(TINY, "golden.json"), "utf8")) as Required<Golden>
    ).value_vectors;
    const tensors = listTensors(TINY);
    const width = probe.length;
    const rows = top24.map(({ layer, neuron, cosine }) => {
      const weights = readTensor(tensors.get(`h.${layer}.mlp.c_proj.weight`) as TensorEntry);
      const row = Float64Array.from(weights.subarray(neuron * width, (neuron + 1) * width));
      const unit = row.map((value) => value / Math.sqrt(dot(row, row)));
      expect(dot(unit, probe) / Math.sqrt(dot(probe, probe))).toBeCloseTo(cosine, 12);
      return unit;
    });
    const { singularValues, rightVectors } = svd(rows);
    singularValues.forEach((value, i) =>
      expect(Math.abs(value - singular_values[i]!)).toBeLessThanOrEqual(1e-8),
    );
    svd_u_first3_sign_fixed_to_probe.forEach((direction, k) => {
      const sign = Math.sign(dot(rightVectors[k]!, probe));
      direction.forEach((x, j) =>
        expect(Math.abs(sign * rightVectors[k]![j]! - x)).toBeLessThanOrEqual(1e-8),
      );
    });
  });

  test("no rows, empty and uneven ones, and numbers that are not finite, are refused", () => {
    expect(() => svd([])).toThrow("svd: no rows, expected at least one");
    expect(() => svd([[]])).toThrow("svd: rows of no numbers");
    expect(() => svd([[1, 2], [1]])).toThrow("svd: row 1 has length 1, expected 2");
    expect(() => svd([[1, Number.NaN]])).toThrow("svd: NaN in row 0 at 1, expected finite numbers");
    expect(() =>
      pca([
        [1, 2],
        [Infinity, 1],
      ]),
    ).toThrow("pca: Infinity in row 1 at 0");
  });
});

describe("principal components", () => {
  const matrices = matrixOf(
    fc.integer({ min: -9999, max: 9999 }).map((value) => value / 1000),
    2,
  );
  const variance = (values: ArrayLike<number>): number => {
    const all = Array.from(values);
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    return all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (all.length - 1);
  };

  test("are uncorrelated, take up all variance, and each score varies as much as is said", () => {
    fc.assert(
      fc.property(matrices, fc.boolean(), (rows, standardise) => {
        const { components, explainedVariance, explainedShare, scores, data } = pca(rows, { standardise });
        expectOrthonormal(components, rows[0]!.length);
        const columns = components.map((_, k) => scores.map((own) => own[k]!));
        const total = rows[0]!.reduce((sum, _, j) => sum + variance(data.map((row) => row[j]!)), 0);
        expect(explainedVariance.reduce((a, b) => a + b, 0)).toBeCloseTo(total, 8);
        expect(explainedShare.reduce((a, b) => a + b, 0)).toBeCloseTo(total > 0 ? 1 : 0, 12);
        columns.forEach((own, k) => {
          expect(variance(own)).toBeCloseTo(explainedVariance[k]!, 8);
          for (let other = 0; other < k; other += 1) expect(dot(own, columns[other]!)).toBeCloseTo(0, 8);
        });
      }),
    );
  });

  test("standardised, every dimension that varies has sample deviation 1, and one that does not is 0", () => {
    fc.assert(
      fc.property(matrices, (rows) => {
        const { data } = pca(rows, { standardise: true });
        rows[0]!.forEach((first, j) => {
          const column = data.map((row) => row[j]!);
          expect(variance(column)).toBeCloseTo(rows.every((row) => row[j] === first) ? 0 : 1, 8);
          expect(column.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 8);
        });
      }),
    );
  });

  test("an example by hand: z-scores of a line along the diagonal of one falling and one rising dimension", () => {
    const { components, explainedVariance, explainedShare, scores } = pca(
      [
        [3, 10, 7],
        [2, 20, 7],
        [1, 30, 7],
      ],
      { standardise: true, components: 1 },
    );
    expect(components).toHaveLength(1);
    const [component] = components;
    expect(Math.abs(component![0]!)).toBeCloseTo(Math.SQRT1_2, 12);
    expect(component![1]).toBeCloseTo(-component![0]!, 12);
    expect(explainedVariance[0]).toBeCloseTo(2, 12);
    expect(explainedShare[0]).toBeCloseTo(1, 12);
    expect(scores.map(([score]) => Math.abs(score!))).toEqual([
      expect.closeTo(Math.SQRT2, 12),
      expect.closeTo(0, 12),
      expect.closeTo(Math.SQRT2, 12),
    ]);
  });

  test("the entry of largest magnitude is positive", () => {
    const [component] = pca([
      [-3, 1],
      [3, -1],
      [0, 0],
    ]).components;
    expect([...component!]).toEqual([
      expect.closeTo(3 / Math.sqrt(10), 12),
      expect.closeTo(-1 / Math.sqrt(10), 12),
    ]);
  });

  test("without centring, the first component points at a mean far from zero", () => {
    const { components, data } = pca(
      [
        [100, 1],
        [100, -1],
      ],
      { centre: false, components: 1 },
    );
    expect(components[0]![0]).toBeCloseTo(1, 8);
    expect([...data[0]!]).toEqual([100, 1]);
  });

  test("a constant dimension that cannot be summed exactly does not become noise", () => {
    const { data } = pca(
      [
        [0.1, 1],
        [0.1, 2],
        [0.1, 4],
      ],
      { standardise: true },
    );
    expect(data.map((row) => row[0])).toEqual([0, 0, 0]);
  });

  test("one row, and more components than there can be, are refused", () => {
    expect(() => pca([[1, 2]])).toThrow("pca: one row, expected at least two");
    expect(() =>
      pca(
        [
          [1, 2, 3],
          [3, 4, 5],
        ],
        { components: 3 },
      ),
    ).toThrow("pca: 3 components of 2 rows of length 3, expected 1 to 2");
  });

  test("figure 4's matrix of 104 residual streams of width 1,024 takes no more than seconds", () => {
    const normal = gaussian(1);
    const rows = Array.from({ length: 104 }, () => Float64Array.from({ length: 1024 }, normal));
    const before = performance.now();
    expect(pca(rows, { standardise: true, components: 1 }).scores).toHaveLength(104);
    expect(performance.now() - before).toBeLessThan(15_000);
  });
});
