import { describe, expect, it } from "vitest";
import {
  bandText,
  claimsTable,
  judge,
  measuredText,
  paperClaim,
  paperClaims,
  valueText,
} from "../../../src/present/claims/index.js";

describe("the catalogue of the paper's claims", () => {
  const claims = paperClaims();

  it("has C1 to C22 in order, each with its wording, its figures and how it is measured", () => {
    expect(claims.map(({ id }) => id)).toEqual(Array.from({ length: 22 }, (_, i) => `C${i + 1}`));
    for (const claim of claims) {
      for (const key of ["section", "title", "says", "number", "how"] as const) {
        expect(claim[key], `${claim.id} ${key}`).toMatch(/\S/);
      }
      const keys = claim.measures.map(({ key }) => key);
      expect(new Set(keys).size, claim.id).toBe(keys.length);
      expect(keys).not.toContain("reason");
    }
  });

  it("lets the paper's own values lie within every band, and every claim be decided by one at least", () => {
    for (const { id, measures } of claims) {
      for (const { key, paper, atLeast = -Infinity, atMost = Infinity } of measures) {
        expect(atLeast, `${id} ${key}`).toBeLessThanOrEqual(atMost);
        if (paper !== null) {
          expect(paper, `${id} ${key}`).toBeGreaterThanOrEqual(atLeast);
          expect(paper, `${id} ${key}`).toBeLessThanOrEqual(atMost);
        }
      }
      expect(measures.some(({ atLeast, atMost }) => atLeast !== undefined || atMost !== undefined)).toBe(
        true,
      );
    }
  });

  it("names the known ones when asked for another", () => {
    expect(() => paperClaim("C23")).toThrow(/^unknown claim C23 \(known: C1, C2, .*, C22\)$/);
  });
});

describe("judge", () => {
  it("holds when every measure lies in its band, ends included", () => {
    const judged = judge("C10", { tensorMin: 0.9998, rowMin: 0.99 });
    expect(judged.verdict).toBe("holds");
    expect(judged.measures[0]).toEqual({
      key: "tensorMin",
      label: "smallest cosine of a tensor",
      value: 0.9998,
      paper: 0.99,
      band: { atLeast: 0.99, atMost: null },
      within: true,
    });
    expect(judged).not.toHaveProperty("reason");
  });

  it("does not hold when one lies outside, also when another could not be measured", () => {
    expect(judge("C10", { tensorMin: 0.9998, rowMin: 0.98 }).verdict).toBe("does not hold");
    const partly = judge("C10", { tensorMin: 0.98, rowMin: null, reason: "no rows here" });
    expect(partly).toMatchObject({ verdict: "does not hold", reason: "no rows here" });
  });

  it("is not measurable with a reason alone, and with one beside what is null", () => {
    const none = judge("C7", "the pairs are too few");
    expect(none).toMatchObject({ verdict: "not measurable", reason: "the pairs are too few" });
    expect(none.measures.map(({ value, within }) => [value, within])).toEqual([[null, null]]);
    const some = judge("C10", { tensorMin: 0.9998, rowMin: null, reason: "no rows here" });
    expect(some).toMatchObject({ verdict: "not measurable", reason: "no rows here" });
  });

  it("reports a measure without a band and lets it decide nothing", () => {
    const judged = judge("C11", { meanNorm: 1e-6, perElement: 7, unembedding: 1e-4 });
    expect(judged.verdict).toBe("holds");
    expect(judged.measures[1]).toMatchObject({ value: 7, band: null, within: null });
  });

  it("is incomplete where several notebooks share a claim, each answering for its own measures", () => {
    const judged = judge("C22", { vectors: 1 }, { part: "B" });
    expect(judged.verdict).toBe("incomplete");
    expect(judged.measures.map(({ key }) => key)).toEqual(["vectors"]);
    expect(judged.reason).toBe("waits for what C measures: further layers where most move against it");
    expect(judge("C22", { vectors: 1, layers: 1 }).verdict).toBe("holds");
    expect(() => judge("C22", { layers: 1 }, { part: "B" })).toThrow("C22 has no measure layers");
    expect(() => judge("C22", { vectors: 1 }, { part: "3.3" })).toThrow(
      /^claim C22 is measured in parts B and C, not in 3\.3$/,
    );
  });

  it.each([
    ["an unknown claim", "C0", { a: 1 }, /^unknown claim C0 \(known: C1, /],
    [
      "an unknown measure",
      "C10",
      { tensorMin: 1, rowMax: 1 },
      /^claim C10 has no measure rowMax \(its measures: tensorMin, rowMin\)$/,
    ],
    ["a missing measure", "C10", { tensorMin: 1 }, /^claim C10 lacks its measure rowMin \(/],
    ["undefined", "C10", { tensorMin: 1, rowMin: undefined }, /^claim C10 lacks its measure rowMin \(/],
    ["NaN", "C10", { tensorMin: NaN, rowMin: 1 }, /^claim C10: tensorMin is NaN, expected a finite number/],
    ["infinity", "C10", { tensorMin: 1, rowMin: Infinity }, /^claim C10: rowMin is Infinity, expected/],
    ["a text for a number", "C10", { tensorMin: "1", rowMin: 1 }, /^claim C10: tensorMin is 1, expected a/],
    [
      "null without a reason",
      "C10",
      { tensorMin: null, rowMin: 1 },
      /^claim C10 is not measured and no reason/,
    ],
    ["an empty reason", "C7", " ", /^claim C7 is not measured and no reason is given/],
    [
      "a reason for nothing",
      "C10",
      { tensorMin: 1, rowMin: 1, reason: "?" },
      /^claim C10 has a reason though everything is measured/,
    ],
  ])("refuses %s in one line", (_, id, measured, message) => {
    expect(() => judge(id, measured as Parameters<typeof judge>[1])).toThrow(message);
  });
});

describe("what a reader is told", () => {
  it("are bands with as few digits as say them", () => {
    expect(bandText({ atLeast: 0.93, atMost: null })).toBe("≥ 0.93");
    expect(bandText({ atLeast: null, atMost: 1e-5 })).toBe("≤ 1e−5");
    expect(bandText({ atLeast: -0.002, atMost: 0.002 })).toBe("−0.002 to 0.002");
    expect(bandText({ atLeast: null, atMost: 0.0043 }, { kind: "percent", digits: 0 })).toBe("≤ 0.43\u00a0%");
    expect(bandText({ atLeast: 3000, atMost: 10000 })).toBe("3000 to 10,000");
    expect(bandText({ atLeast: 5, atMost: null })).toBe("≥ 5");
    expect(bandText(null)).toBe("–");
    expect(valueText(null)).toBe("–");
  });

  it("is what decided: what lies outside, or else the first measures, or the reason", () => {
    expect(measuredText(judge("C10", { tensorMin: 0.9998, rowMin: 0.98 }))).toBe(
      "smallest cosine of a vector 0.98000 (band ≥ 0.99)",
    );
    expect(measuredText(judge("C1", { accuracy: 0.95, auroc: 0.97 }))).toBe(
      "accuracy, held out 0.950; AUROC, held out 0.970",
    );
    expect(measuredText(judge("C7", "too few pairs"))).toBe("too few pairs");
  });

  it("is a table with a row for each measure and the numbers kept in its data", () => {
    const claims = [judge("C10", { tensorMin: 0.9998, rowMin: 0.98 }), judge("C7", "too few pairs")];
    const table = claimsTable("5.1", claims);
    expect(table.name).toBe("claims-5-1");
    expect(table.html()).toContain("section 5.1");
    const text = table.text();
    expect(text).toMatch(/C10 .*smallest cosine of a tensor .*0\.99980 .*≥ 0\.99 .*yes .*does not hold/);
    expect(text).toMatch(/C10 .*smallest cosine of a vector .*0\.98000 .*≥ 0\.99 .*no/);
    expect(text).toMatch(/C7 .*–.*not measurable: too few pairs/);
    expect(table.json().rows[1]).toMatchObject({ key: "rowMin", value: 0.98, atLeast: 0.99, verdict: "" });
    expect(claimsTable("B", []).name).toBe("claims-b");
  });
});
