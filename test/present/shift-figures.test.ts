import { describe, expect, it } from "vitest";
import {
  activationBarsFigure,
  cosinePanelsFigure,
  pairedShiftFigure,
  shiftComponentsFigure,
  shiftContributionsFigure,
  shiftPlaneFigure,
} from "../../src/present/figures/index.js";
import type { PairedPoint } from "../../src/present/figures/paired-shift.js";
import type { PanelBar } from "../../src/present/figures/cosine-panels.js";

// Fixed numbers, not a model's: a picture changes only where a specification or the renderer does.

const bars = [
  { vector: "L:19|Idx:770", means: [0.11, -0.01] },
  { vector: "L:12|Idx:771", means: [0.32, 0.03] },
  { vector: "L:18|Idx:2669", means: [0.08, 0.002] },
].flatMap(({ vector, means }) =>
  means.map((mean, i) => ({
    vector,
    model: (["GPT-2", "DPO"] as const)[i]!,
    mean,
    low: mean - 0.02,
    high: mean + 0.02,
  })),
);

const streams = Array.from({ length: 6 }, (_, i) => ({ x: i % 3, y: Math.sin(2 * i) }));
const moved = streams.map(({ x, y }, i) => ({ x: x + 2 + 0.05 * i, y: y - 0.1 }));
const pairs = (vector?: string): PairedPoint[] =>
  streams.flatMap((point, prompt) => {
    const levels = [
      (["High", "Low", "None"] as const)[prompt % 3]!,
      prompt % 3 === 2 ? "None" : "Low",
    ] as const;
    const panel = vector === undefined ? {} : { vector };
    return [
      { ...panel, prompt, model: "GPT-2", ...point, level: levels[0] },
      { ...panel, prompt, model: "DPO", ...moved[prompt]!, level: levels[1] },
    ];
  });

const bell = (centre: number, width: number, at: number): number =>
  0.2 * Math.exp(-(((at - centre) / width) ** 2));
const panels: PanelBar[] = [0, 9, 17].flatMap((layer) => [
  ...Array.from({ length: 40 }, (_, i) => ({
    layer,
    kind: "cosine" as const,
    at: -0.975 + 0.05 * i,
    share: bell(-0.16 - 0.04 * layer, 0.3, -0.975 + 0.05 * i),
  })),
  ...Array.from({ length: 42 }, (_, i) => ({
    layer,
    kind: "activation" as const,
    at: -0.205 + 0.01 * i,
    share: bell(-0.1, 0.03, -0.205 + 0.01 * i),
  })),
]);

const labels = (name: string) => ({ name, title: "On fixed numbers", caption: "Not a result." });
const neuron = { neuron: "MLP.v_770^19", prompts: 30 };

const drawn = [
  activationBarsFigure(bars, { tokens: 20, prompts: 30, reading: "each model reading its own" }),
  shiftPlaneFigure({ before: streams, after: moved, across: -1, up: 2, edge: -1.5 }, neuron),
  pairedShiftFigure(pairs(), labels("figure-4"), { ticks: false }),
  cosinePanelsFigure(panels, labels("figure-5")),
  pairedShiftFigure([...pairs("one"), ...pairs("two")], labels("figure-6"), { ticks: true }),
  shiftContributionsFigure(
    [0, 1, 2].map((layer) => ({ layer, fromVectors: 0.1 * layer, fromActivations: 0.2, fromBias: -0.02 })),
    { layer: 3 },
  ),
  shiftComponentsFigure(
    [
      { component: "embedding", layer: null, share: 0.05 },
      { component: "attention", layer: 0, share: 0.25 },
      { component: "MLP", layer: 0, share: -0.1 },
      { component: "attention", layer: 1, share: 0.8 },
    ],
    { layer: 1 },
  ),
];

describe("the figures of section 5.2", () => {
  it.each(drawn.map((own) => [own.name, own] as const))("draw %s the same every time", async (name, own) => {
    await expect(await own.svg()).toMatchFileSnapshot(`snapshots/${name}.svg`);
  });

  it("draw the half-plane of a key that points along the shift with an upright edge", async () => {
    const key = { neuron: "key", prompts: 6 };
    const upright = shiftPlaneFigure({ before: streams, after: moved, across: 1, up: 0, edge: 2 }, key);
    const { values } = upright.vegaLite()["data"] as { values: Record<string, number | string>[] };
    const region = values.filter(({ kind }) => kind === "region");
    expect(region.length).toBeGreaterThan(0);
    expect(region.every(({ x, y, top }) => (Number(x) > 2 ? y !== top : y === top))).toBe(true);
    await upright.svg();
  });

  it("draw one prompt, and a shift of nothing", async () => {
    const still = { before: [{ x: 1, y: 1 }], after: [{ x: 1, y: 1 }], across: 0, up: 1, edge: 0 };
    expect(await shiftPlaneFigure(still, { neuron: "key", prompts: 1 }).svg()).not.toContain("NaN");
  });
});
