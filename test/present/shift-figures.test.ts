import { describe, expect, it } from "vitest";
import { figure } from "../../src/present/index.js";
import {
  activationBars,
  cosinePanels,
  pairedShift,
  shiftPlaneFigure,
} from "../../src/present/figures/index.js";
import type { Row } from "../../src/present/rows.js";

// Fixed numbers, not a model's: a picture changes only where a specification or the renderer does.

const bars: Row[] = [
  ["L:19|Idx:770", 0.11, -0.01],
  ["L:12|Idx:771", 0.32, 0.03],
  ["L:18|Idx:2669", 0.08, 0.002],
].flatMap(([vector, ...means]) =>
  means.map((mean, i) => ({
    vector: vector as string,
    model: ["GPT-2", "DPO"][i],
    mean: mean as number,
    low: (mean as number) - 0.02,
    high: (mean as number) + 0.02,
  })),
);

const streams = Array.from({ length: 6 }, (_, i) => ({ x: i % 3, y: Math.sin(2 * i) }));
const moved = streams.map(({ x, y }, i) => ({ x: x + 2 + 0.05 * i, y: y - 0.1 }));
const pairs = (vector: string): Row[] =>
  streams.flatMap((point, prompt) => [
    { vector, prompt, model: "GPT-2", ...point, level: ["High", "Low", "None"][prompt % 3] },
    { vector, prompt, model: "DPO", ...moved[prompt], level: prompt % 3 === 2 ? "None" : "Low" },
  ]);

const bell = (centre: number, width: number, at: number): number =>
  0.2 * Math.exp(-(((at - centre) / width) ** 2));
const panels: Row[] = [0, 9, 17].flatMap((layer) => [
  ...Array.from({ length: 40 }, (_, i) => ({
    layer,
    kind: "cosine",
    at: -0.975 + 0.05 * i,
    share: bell(-0.16 - 0.04 * layer, 0.3, -0.975 + 0.05 * i),
  })),
  ...Array.from({ length: 42 }, (_, i) => ({
    layer,
    kind: "activation",
    at: -0.205 + 0.01 * i,
    share: bell(-0.1, 0.03, -0.205 + 0.01 * i),
  })),
]);

const plane = shiftPlaneFigure(
  { before: streams, after: moved, across: -1, up: 2, edge: -1.5 },
  { neuron: "MLP.v_770^19" },
);

const drawn = {
  "figure-2": { data: bars, spec: activationBars() },
  "figure-3": plane,
  "figure-4": { data: pairs("one"), spec: pairedShift({ ticks: false }) },
  "figure-5": { data: panels, spec: cosinePanels({ layers: [0, 9, 17] }) },
  "figure-6": {
    data: [...pairs("one"), ...pairs("two")],
    spec: pairedShift({ panels: ["one", "two"] }),
  },
};

describe("the figures of section 5.2", () => {
  it.each(Object.entries(drawn))("draw %s the same every time", async (name, { data, spec }) => {
    const own = figure({ name, title: "On fixed numbers", caption: "Not a result.", data, spec });
    await expect(await own.svg()).toMatchFileSnapshot(`snapshots/${name}.svg`);
  });

  it("draw the half-plane of a key that points along the shift with an upright edge", async () => {
    const upright = shiftPlaneFigure(
      { before: streams, after: moved, across: 1, up: 0, edge: 2 },
      { neuron: "key" },
    );
    const region = upright.data.filter(({ kind }) => kind === "region");
    expect(region.every(({ x, y, top }) => ((x as number) > 2 ? y !== top : y === top))).toBe(true);
    await figure({ name: "upright", title: "", caption: "", ...upright }).svg();
  });

  it("draw one prompt, and a shift of nothing", async () => {
    const still = { before: [{ x: 1, y: 1 }], after: [{ x: 1, y: 1 }], across: 0, up: 1, edge: 0 };
    const drawing = await figure({
      name: "still",
      title: "",
      caption: "",
      ...shiftPlaneFigure(still, { neuron: "key" }),
    }).svg();
    expect(drawing).not.toContain("NaN");
  });
});
