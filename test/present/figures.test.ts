import { describe, expect, it } from "vitest";
import type { Figure } from "../../src/present/index.js";
import {
  cosineHistogramFigure,
  probeSeparationFigure,
  projectionByLayerFigure,
  projectionScatterFigure,
  subUpdateSizesFigure,
  svdSpectrumFigure,
  toxicityPerplexityFigure,
  valueVectorSharesFigure,
} from "../../src/present/figures/index.js";

// Fixed numbers, not a model's: a picture changes only where a specification or the renderer does.

const count = (at: number): number => Math.round(900 * Math.exp(-((at / 0.1) ** 2)));

const trade = (id: string, label: string, slope: number) =>
  [0, 1, 1.5].map((multiple) => ({
    ...{ id, label, multiple, perplexity: 20 + 1.7 * multiple ** 2, toxicity: 0.4 - slope * multiple },
    ...{ low: 0.37 - slope * multiple, high: 0.43 - slope * multiple },
  }));

/** As notebooks give it: with more than the picture shows. */
const result = (id: string, perplexity: number, toxicity: number) => ({
  id,
  perplexity,
  toxicity,
  continuations: [{ text: "a continuation" }],
});

const predicted = Array.from({ length: 300 }, (_, id) => 4 * Math.sin(id));

const drawn: Figure[] = [
  subUpdateSizesFigure(
    [0, 1, 2].flatMap((layer) => [
      { layer, kind: "attention" as const, meanNorm: 4 + layer },
      { layer, kind: "MLP" as const, meanNorm: 9 - 2 * layer },
    ]),
    { windows: 16, tokens: 48 },
  ),
  valueVectorSharesFigure(
    [0, 1].flatMap((layer) =>
      [1, 2, 4, 8, 16].map((vectors) => ({
        ...{ layer: `layer ${layer}`, vectors },
        share: (vectors / 16) ** (0.3 + 0.3 * layer),
      })),
    ),
  ),
  probeSeparationFigure(
    (["not toxic", "toxic"] as const).flatMap((comments, toxic) =>
      [-4, -2, 0, 2].map((from, i) => {
        const share = [0.4, 0.3, 0.3, 0][toxic === 0 ? i : 3 - i] as number;
        return { comments, from, to: from + 2, count: 100 * share, share };
      }),
    ),
    { comments: 200 },
  ),
  cosineHistogramFigure(
    Array.from({ length: 30 }, (_, i) => ({
      ...{ from: -0.3 + i / 50, to: -0.28 + i / 50 },
      count: count(-0.29 + i / 50),
    })),
    { vectors: 6144, dModel: 256, ranked: { count: 128, lowest: 0.17 } },
  ),
  svdSpectrumFigure(
    Array.from({ length: 40 }, (_, k) => 3 / (k + 1)),
    { stacked: 40 },
  ),
  toxicityPerplexityFigure(
    [
      ...trade("w-toxic", "− W_toxic", 0.12),
      ...trade("value-vector", "− MLP.v_770^19", 0.05),
      ...trade("svd-u0", "− SVD.U_toxic[0]", 0.08),
    ],
    [result("random-1", 21.7, 0.41), result("random-2", 21.6, 0.385)],
    { prompts: 256 },
  ),
  projectionScatterFigure(
    {
      predicted,
      measured: predicted.map((change, id) => 0.9 * change + 0.5 * Math.cos(7 * id)),
      promoted: [8, 14, 58],
    },
    { vector: "MLP.v_770^19" },
  ),
  projectionByLayerFigure(
    ["MLP.v_770^19", "W_toxic"].flatMap((label, which) =>
      [0, 1, 2, 3].map((layer) => ({ label, layer, correlation: 0.4 + 0.15 * layer + 0.05 * which })),
    ),
  ),
];

describe("the figures of sections 2 and 3 and of appendix A", () => {
  it.each(drawn.map((own) => [own.name, own] as const))("draw %s the same every time", async (name, own) => {
    await expect(await own.svg()).toMatchFileSnapshot(`snapshots/${name}.svg`);
  });
});

describe("the scatter of all tokens", () => {
  it("draws no more than some two thousand of a large vocabulary, and those that are marked", () => {
    const many = Array.from({ length: 50_257 }, (_, id) => id);
    const { data } = projectionScatterFigure(
      { predicted: many, measured: many, promoted: [50_001, 3] },
      { vector: "W_toxic" },
    ).vegaLite() as { data: { values: { id: number; group: string }[] } };
    expect(data.values.length).toBeLessThan(2100);
    expect(data.values.filter(({ group }) => group === "top 2 of E v").map(({ id }) => id)).toEqual([
      3, 50_001,
    ]);
  });
});
