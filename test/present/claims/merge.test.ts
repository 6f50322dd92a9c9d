import { describe, expect, it } from "vitest";
import {
  countsText,
  judge,
  type JudgedClaim,
  mergeClaims,
  type RunClaim,
} from "../../../src/present/claims/index.js";

const from = (notebook: string, part: string, ...claims: JudgedClaim[]) => ({ notebook, part, claims });
const of = (claims: readonly RunClaim[], id: string): RunClaim =>
  claims.find((claim) => claim.id === id) as RunClaim;

describe("the verdicts of a run", () => {
  it("are on all 22 claims in order, also on those that no notebook spoke of", () => {
    const claims = mergeClaims([from("5.1-parameters", "5.1", judge("C10", { tensorMin: 1, rowMin: 1 }))]);
    expect(claims.map(({ id }) => id)).toEqual(Array.from({ length: 22 }, (_, i) => `C${i + 1}`));
    expect(of(claims, "C10")).toMatchObject({
      verdict: "holds",
      title: "Parameters hardly turn",
      places: [{ notebook: "5.1-parameters", cell: "claims" }],
    });
    expect(of(claims, "C1")).toMatchObject({ verdict: "not run", measures: [], places: [] });
  });

  it("put measures of several notebooks together, and decide only when all are there", () => {
    const b = from("B", "B", judge("C22", { vectors: 1 }, { part: "B" }));
    const c = from("C", "C", judge("C22", { layers: 0.5 }, { part: "C" }));
    const alone = of(mergeClaims([b]), "C22");
    expect(alone).toMatchObject({ verdict: "incomplete" });
    expect(alone.reason).toBe("waits for what C measures: further layers where most move against it");
    const both = of(mergeClaims([c, b]), "C22");
    expect(both.verdict).toBe("does not hold");
    expect(both.measures.map(({ key, value }) => [key, value])).toEqual([
      ["vectors", 1],
      ["layers", 0.5],
    ]);
    expect(both.places.map(({ notebook }) => notebook)).toEqual(["C", "B"]);
  });

  it("keep the reason when one of several notebooks cannot measure its part", () => {
    const b = from("B", "B", judge("C22", { vectors: 1 }, { part: "B" }));
    const c = from("C", "C", judge("C22", "there are fewer than four layers", { part: "C" }));
    expect(of(mergeClaims([b, c]), "C22")).toMatchObject({
      verdict: "not measurable",
      reason: "there are fewer than four layers",
    });
  });

  it("are by today's bands, not by those that a notebook knew, and ask again for what it did not measure", () => {
    const old = judge("C10", { tensorMin: 0.5, rowMin: 1 });
    const lenient = { ...old, verdict: "holds" as const };
    expect(of(mergeClaims([from("5.1", "5.1", lenient)]), "C10").verdict).toBe("does not hold");
    const fewer = { ...old, measures: old.measures.slice(0, 1) };
    expect(of(mergeClaims([from("5.1", "5.1", fewer)]), "C10")).toMatchObject({
      verdict: "incomplete",
      reason: "its notebook has not measured smallest cosine of a vector: run it again",
    });
    const unknown = { ...old, id: "C99" };
    expect(mergeClaims([from("5.1", "5.1", unknown)]).every(({ verdict }) => verdict === "not run")).toBe(
      true,
    );
  });

  it("say which are of an earlier run", () => {
    const said = { ...from("5.1", "5.1", judge("C7", "too few")), earlier: "the last run failed" };
    expect(of(mergeClaims([said]), "C7").places[0]?.earlier).toBe("the last run failed");
  });

  it("are counted in one line", () => {
    const claims = (verdicts: JudgedClaim["verdict"][]) => verdicts.map((verdict) => ({ verdict }));
    expect(countsText(claims(["holds", "holds", "does not hold", "not measurable", "not run"]))).toBe(
      "2 hold, 1 does not, 1 cannot be measured here, 1 has not been run",
    );
    expect(countsText(claims(["holds", "incomplete"]))).toBe("1 holds, 0 do not, 1 is measured in part");
  });
});
