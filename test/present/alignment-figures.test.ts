import { describe, expect, it } from "vitest";
import {
  dpoCurvesFigure,
  logitLensFigure,
  pairsLengthFigure,
  pairsToxicityFigure,
  parametersByLayerFigure,
  parametersToxicFigure,
  unalignPriceFigure,
  unalignSweepFigure,
  unalignWritingFigure,
} from "../../src/present/figures/index.js";

// Fixed numbers, not a model's: a picture changes only where a specification or the renderer does.

const sideBars = [
  { side: "preferred", shares: [0.6, 0.3, 0.1], mean: 0.2 },
  { side: "rejected", shares: [0.2, 0.3, 0.5], mean: 0.6 },
].flatMap(({ side, shares, mean }) =>
  shares.map((share, i) => ({ side, from: i / 3, to: (i + 1) / 3, count: 10 * share, share, mean })),
);

const log = Array.from({ length: 9 }, (_, step) => ({
  ...{ kind: step % 4 === 0 ? ("valid" as const) : ("train" as const), step },
  ...{ loss: 0.69 / (1 + step), "rewards/margins": 0.2 * step },
  ...{ "logps/chosen": -25 - 0.1 * step, "logps/rejected": -40 - 2 * step },
}));

const lens = (scale: number) =>
  [0.01, 0.02, 0.2, 0.22, 0.5].map((mean, place) => ({
    ...{ row: String(place), place, mean: scale * mean },
    ...{ low: 0.8 * scale * mean, high: 1.2 * scale * mean },
  }));

const kinds = ["attention QKV", "key vectors", "value vectors"];
const turns = [0, 1, 2].flatMap((layer) =>
  kinds.flatMap((kind, k) => [
    { layer, kind, vectors: "mean over vectors" as const, turn: 10 ** -(6 - k) * (1 + layer) },
    { layer, kind, vectors: "the vector that turned most" as const, turn: k === 2 && layer === 0 ? 0 : 1e-3 },
  ]),
);

const turnBars = ["key vectors", "value vectors"].flatMap((part) =>
  (["all", "toxic"] as const).flatMap((who) =>
    [0.2, 0.5, 0.3].map((share, i) => ({
      ...{ part, who, low: 10 ** (i - 6), high: 10 ** (i - 5), share },
      median: who === "all" ? 1e-5 : 3e-5,
    })),
  ),
);

const sweep = ["published", "effect"].flatMap((label, r) =>
  [3, 7].flatMap((keys) =>
    [2, 10].map((scale) => ({
      ...{ ranking: label, label, keys, scale, toxicity: 0.4, perplexity: 20 },
      ...{ restored: (r * keys * scale) / 70, perplexityChange: (scale - 5) / 100 },
    })),
  ),
);

const trades = (["subtraction", "randomSubtraction", "published", "ours", "randomKeys"] as const).map(
  (kind, i) => ({ name: kind, kind, moved: 0.05 * i, perplexityChange: 0.02 * (i - 1) }),
);

const written = ["GPT-2", "DPO", "seven keys", "other keys"].flatMap((system, s) =>
  [0, 1, 2].map((layer) => ({ system, layer, value: s - 1, sum: (layer + 1) * (s - 1) })),
);

const drawn = [
  pairsToxicityFigure(sideBars, { pairs: 10, scorer: "linear" }),
  pairsLengthFigure(sideBars, { newTokens: 20 }),
  dpoCurvesFigure(log, { best: 4, batchSize: 8, validationSize: 64 }),
  logitLensFigure(
    [
      { system: "GPT-2", points: lens(1) },
      { system: "DPO", points: lens(0.4) },
    ],
    { word: " rain", texts: 12, shaded: [{ from: { place: 1 }, to: { place: 2 } }] },
  ),
  parametersByLayerFigure(turns, { kinds: ["positions", ...kinds], paperCosine: 0.99 }),
  parametersToxicFigure(turnBars, { all: 3072, toxic: 128 }),
  unalignSweepFigure(sweep, { prompts: 64, cost: 0.03 }),
  unalignPriceFigure(trades, { gap: 0.15 }),
  unalignWritingFigure(written, { comments: 96 }),
];

describe("the figures of sections 4.2, 4.3, 5.1 and 5.3", () => {
  it.each(drawn.map((own) => [own.name, own] as const))("draw %s the same every time", async (name, own) => {
    await expect(await own.svg()).toMatchFileSnapshot(`snapshots/of-${name}.svg`);
  });

  it("leave out what did not turn, and say where the paper's bound is", () => {
    const csv = parametersByLayerFigure(turns, { kinds, paperCosine: 0.99 }).csv();
    expect(csv.split("\n")[0]).toBe("layer,kind,of,turn,limit");
    expect(csv.trim().split("\n")).toHaveLength(turns.length);
    expect(csv).not.toContain("0,value vectors,the vector that turned most");
  });

  it("frame what is affordable", () => {
    const csv = unalignSweepFigure(sweep, { prompts: 64, cost: 0.03 }).csv();
    const framed = csv.split("\n").filter((line) => line.includes(",yes,"));
    expect(framed).toHaveLength(sweep.filter(({ scale }) => scale === 2).length);
  });
});
