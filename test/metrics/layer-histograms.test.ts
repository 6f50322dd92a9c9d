import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layerHistograms, type LayerBar } from "../../src/metrics/layer-histograms.js";

const barsOf = (bars: readonly LayerBar[], layer: number, kind: LayerBar["kind"]) =>
  bars.filter((bar) => bar.layer === layer && bar.kind === kind);
const sum = (bars: readonly LayerBar[]) => bars.reduce((total, { share }) => total + share, 0);

describe("the histograms of an MLP", () => {
  it("have the published bars: cosines in 0.05 from −1 to 1, activations in 0.01 from −0.21 to 0.21", () => {
    const { bars } = layerHistograms([{ layer: 3, cosines: [0], activations: [0] }]);
    for (const [kind, count, width] of [
      ["cosine", 40, 0.05],
      ["activation", 42, 0.01],
    ] as const) {
      const own = barsOf(bars, 3, kind);
      expect(own).toHaveLength(count);
      own.forEach(({ at }, i) => expect(at).toBeCloseTo(width * (i - count / 2 + 0.5), 12));
    }
  });

  it("count each neuron in the bar that holds its value, as a share of the MLP's neurons", () => {
    const cosines = [-0.99, -0.42, -0.43, 0.99];
    const activations = [-0.055, -0.055, -0.055, 0.105];
    const { bars } = layerHistograms([{ layer: 0, cosines, activations }]);
    const filled = bars.filter(({ share }) => share > 0);
    expect(filled.map(({ kind, at, share }) => [kind, Number(at.toFixed(3)), share])).toEqual([
      ["cosine", -0.975, 0.25],
      ["cosine", -0.425, 0.5],
      ["cosine", 0.975, 0.25],
      ["activation", -0.055, 0.75],
      ["activation", 0.105, 0.25],
    ]);
  });

  it("name the highest bar of either kind as its peak, the lower one where two are as high", () => {
    const { peaks } = layerHistograms([
      { layer: 7, cosines: [0.52, 0.53, -0.88], activations: [-0.145, 0.025, 0.3] },
    ]);
    expect(peaks).toHaveLength(1);
    const [peak] = peaks;
    expect(peak!.layer).toBe(7);
    expect(peak!.cosinePeak).toBeCloseTo(0.525, 12);
    expect(peak!.cosineHeight).toBeCloseTo(2 / 3, 12);
    expect(peak!.activationPeak).toBeCloseTo(-0.145, 12);
    expect(peak!.activationHeight).toBeCloseTo(1 / 3, 12);
  });

  it("draw no activation beyond ±0.21, but count it among all of which a share is a part", () => {
    const { bars, peaks } = layerHistograms([
      { layer: 1, cosines: [0, 0, 0, 0], activations: [0.005, -5, 5, 0.22] },
    ]);
    expect(sum(barsOf(bars, 1, "activation"))).toBe(0.25);
    expect(sum(barsOf(bars, 1, "cosine"))).toBe(1);
    expect(peaks[0]!.activationHeight).toBe(0.25);
  });

  it("hold what lies on the outer edges: a cosine of ±1 has a bar", () => {
    const { bars } = layerHistograms([{ layer: 1, cosines: [-1, 1], activations: [-0.21, 0.21] }]);
    for (const [kind, last] of [
      ["cosine", 39],
      ["activation", 41],
    ] as const) {
      const own = barsOf(bars, 1, kind);
      expect([own[0]!.share, own[last]!.share]).toEqual([0.5, 0.5]);
    }
  });

  it("leave out an activation that is no number, which still counts as a neuron", () => {
    const { bars } = layerHistograms([{ layer: 2, cosines: [0.1, 0.1], activations: [Number.NaN, 0.1] }]);
    expect(sum(barsOf(bars, 2, "activation"))).toBe(0.5);
  });

  it("of several MLPs stand in their order, each counted on its own, typed arrays as well", () => {
    const low = { layer: 5, cosines: Float64Array.of(-0.3), activations: Float64Array.of(-0.1) };
    const high = { layer: 2, cosines: Float64Array.of(0.3, 0.31), activations: Float64Array.of(0.1, 0.1) };
    const both = layerHistograms([low, high]);
    const [one, other] = [layerHistograms([low]), layerHistograms([high])];
    expect(both.bars).toEqual([...one.bars, ...other.bars]);
    expect(both.peaks).toEqual([...one.peaks, ...other.peaks]);
    expect(both.peaks.map(({ layer }) => layer)).toEqual([5, 2]);
  });

  it("of no MLP have no bars and no peaks", () => {
    expect(layerHistograms([])).toEqual({ bars: [], peaks: [] });
  });

  it("whatever the cosines, have shares that add up to one, and a peak that no bar exceeds", () => {
    const cosines = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(cosines, (values) => {
        const { bars, peaks } = layerHistograms([{ layer: 0, cosines: values, activations: values }]);
        const own = barsOf(bars, 0, "cosine");
        expect(sum(own)).toBeCloseTo(1, 9);
        expect(sum(barsOf(bars, 0, "activation"))).toBeLessThanOrEqual(1 + 1e-9);
        const highest = Math.max(...own.map(({ share }) => share));
        expect(peaks[0]!.cosineHeight).toBe(highest);
        expect(own.find(({ share }) => share === highest)!.at).toBe(peaks[0]!.cosinePeak);
      }),
    );
  });
});
