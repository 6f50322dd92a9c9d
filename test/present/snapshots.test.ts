import { describe, expect, it } from "vitest";
import { figure, type FigureOptions } from "../../src/present/figure.js";
import { svgToPng } from "../../src/present/render.js";
import { lookEncoding, palette } from "../../src/present/theme.js";

/*
 * Pictures of the kinds of figures that the notebooks draw, on fixed numbers. Text is measured with the fonts of an npm
 * package and drawn by name, so that the same specification gives the same bytes on every machine. After a change of the
 * house style look at the new pictures before you accept them (`npx vitest run test/present -u`).
 */

const x = (title: string, more = {}) => ({ field: "x", type: "quantitative", title, ...more });

const facets: FigureOptions = {
  name: "facets",
  title: "Training",
  caption:
    "Two measures in panels of their own, each with its own scale; the vertical line marks the policy that is kept.",
  data: ["loss (nats)", "reward margin (nats)"].flatMap((measure, m) =>
    [0, 10, 20, 30].flatMap((step, i) =>
      ["training batch", "held out"].map((part, p) => ({
        ...{ measure, part, step, best: 30 },
        value: m === 0 ? 0.7 - 0.12 * i + 0.03 * p : 0.4 * i - 0.05 * p,
      })),
    ),
  ),
  spec: {
    facet: { field: "measure", type: "nominal", title: null },
    columns: 2,
    resolve: { scale: { y: "independent" } },
    spec: {
      width: 200,
      height: 120,
      layer: [
        {
          mark: { type: "rule", color: palette.grey, strokeDash: [4, 3] },
          encoding: { x: { aggregate: "max", field: "best", type: "quantitative" } },
        },
        {
          mark: { type: "line", point: { size: 25 } },
          encoding: {
            x: { field: "step", type: "quantitative", title: "step" },
            y: { field: "value", type: "quantitative", title: null, scale: { zero: false } },
            color: {
              ...{ field: "part", type: "nominal", title: null },
              scale: { domain: ["training batch", "held out"], range: [palette.skyBlue, palette.vermillion] },
            },
          },
        },
      ],
    },
  },
};

const errorBars: FigureOptions = {
  name: "error-bars",
  number: 2,
  title: "Mean activation of MLP.v_770^19 and its neighbours",
  caption: "Bars for the value vectors nearest to W_toxic, with 95% intervals.",
  data: ["19:770", "12:771", "18:2669"].flatMap((vector, v) =>
    ["GPT-2", "DPO"].map((model, m) => {
      const mean = m === 0 ? 0.4 - 0.1 * v : 0.05 - 0.04 * v;
      return { vector, model, mean, low: mean - 0.03, high: mean + 0.05 };
    }),
  ),
  spec: {
    width: 320,
    height: 160,
    encoding: {
      x: { field: "vector", type: "nominal", title: "layer:neuron", axis: { labelAngle: 0 } },
      xOffset: { field: "model", sort: ["GPT-2", "DPO"] },
    },
    layer: [
      {
        mark: "bar",
        encoding: {
          y: { field: "mean", type: "quantitative", title: "mean activation" },
          ...lookEncoding("model", { names: ["GPT-2", "DPO"], channels: ["color"] }),
        },
      },
      {
        mark: { type: "rule", color: palette.black, strokeWidth: 1.5 },
        encoding: { y: { field: "low", type: "quantitative" }, y2: { field: "high" } },
      },
    ],
  },
};

const heatMap: FigureOptions = {
  name: "heat-map",
  title: "Perplexity by scale and number of keys",
  caption: "Darker is lower; a cell without a number was not measured.",
  data: [1, 3, 7].flatMap((keys, k) =>
    [2, 5, 10].map((scale, s) => ({ keys, scale, perplexity: k === 2 && s === 2 ? null : 20 + k * s })),
  ),
  spec: {
    width: { step: 48 },
    height: { step: 32 },
    mark: "rect",
    encoding: {
      x: { field: "scale", type: "ordinal", title: "scale of the keys", axis: { labelAngle: 0 } },
      y: { field: "keys", type: "ordinal", title: "keys" },
      color: { field: "perplexity", type: "quantitative", title: "perplexity" },
    },
  },
};

const twoScales: FigureOptions = {
  name: "two-scales",
  title: "Shift and activation of each value vector",
  caption: "Cosine of the shift on the left and lower axes, mean activation on the right.",
  data: Array.from({ length: 12 }, (_, i) => ({
    x: i,
    cosine: -0.8 + 0.1 * i,
    activation: 0.02 * ((i * 5) % 12) - 0.1,
  })),
  spec: {
    width: 320,
    height: 180,
    encoding: { x: x("layer of the value vector") },
    layer: [
      {
        mark: { type: "point", shape: "circle", color: palette.blue },
        encoding: {
          y: { field: "cosine", type: "quantitative", title: "cosine", axis: { titleColor: palette.blue } },
        },
      },
      {
        mark: { type: "point", shape: "triangle-up", color: palette.vermillion },
        encoding: {
          y: {
            ...{ field: "activation", type: "quantitative", title: "mean activation" },
            axis: { titleColor: palette.vermillion, grid: false },
          },
        },
      },
    ],
    resolve: { scale: { y: "independent" } },
  },
};

const overlaid: FigureOptions = {
  name: "overlaid-histograms",
  title: "Two distributions in one picture",
  caption: "Filled, and outlined: told apart without colour as well.",
  data: ["not toxic", "toxic"].flatMap((comments, c) =>
    [0, 1, 2, 3].map((i) => ({
      comments,
      x: i,
      to: i + 1,
      share: [0.4, 0.3, 0.2, 0.1][c === 0 ? i : 3 - i] ?? 0,
    })),
  ),
  spec: {
    width: 280,
    height: 140,
    mark: { type: "bar", strokeWidth: 1.5 },
    encoding: {
      x: x("log-odds of toxicity (nats)", { bin: "binned" }),
      x2: { field: "to" },
      y: { field: "share", type: "quantitative", stack: null, title: "share of comments" },
      y2: { datum: 0 },
      ...Object.fromEntries(
        (["color", "stroke", "fillOpacity"] as const).map((channel) => [
          channel,
          {
            ...{ field: "comments", type: channel === "fillOpacity" ? "ordinal" : "nominal", title: null },
            scale: {
              domain: ["not toxic", "toxic"],
              range: channel === "fillOpacity" ? [0.6, 0.2] : [palette.blue, palette.vermillion],
            },
          },
        ]),
      ),
    },
  },
};

describe("a kind of figure", () => {
  it.each(
    [facets, errorBars, heatMap, twoScales, overlaid].map((options) => [options.name, options] as const),
  )("%s is drawn the same way every time", async (name, options) => {
    const svg = await figure(options).svg();
    await expect(svg).toMatchFileSnapshot(`snapshots/${name}.svg`);
    expect(await figure(options).svg()).toBe(svg);
  });

  it("has a picture with ink in it, also where mathematics is set", () => {
    const line = (text: string) =>
      svgToPng(
        `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40"><text x="5" y="25" font-size="16px" font-family="DejaVu Sans">${text}</text></svg>`,
      ).png;
    const sub = `W<tspan dy="0.306em" font-size="0.72em">toxic</tspan>`;
    expect(Buffer.compare(Buffer.from(line(sub)), Buffer.from(line("W")))).not.toBe(0);
    expect(Buffer.compare(Buffer.from(line(sub)), Buffer.from(line("Wtoxic")))).not.toBe(0);
  });
});
