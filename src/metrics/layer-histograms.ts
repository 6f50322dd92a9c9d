import { histogram } from "./histogram.js";

/** What {@link layerHistograms} counts of one MLP. */
export interface MlpValues {
  layer: number;
  /** `[neuron]` cosines with a direction, −1 to 1. */
  cosines: ArrayLike<number>;
  /** `[neuron]` mean activations. */
  activations: ArrayLike<number>;
}

/** A bar of one of the histograms. */
export interface LayerBar {
  [key: string]: string | number;
  layer: number;
  kind: "cosine" | "activation";
  /** The middle of the bar. */
  at: number;
  /** Of all neurons of the MLP, 0 to 1. */
  share: number;
}

/** What a histogram of figure 5 is read for. */
export interface LayerPeaks {
  layer: number;
  cosinePeak: number;
  cosineHeight: number;
  activationPeak: number;
  activationHeight: number;
}

/**
 * The two histograms of each panel of figures 5 and 7 to 10: of cosines in bars of 0.05, and of mean activations in bars of
 * 0.01 from −0.21 to 0.21 as published; the activations beyond count, but have no bar.
 *
 * @returns bars for `cosinePanels`, and the highest bar of each histogram
 */
export function layerHistograms(mlps: readonly MlpValues[]): { bars: LayerBar[]; peaks: LayerPeaks[] } {
  const bars: LayerBar[] = [];
  const peaks: LayerPeaks[] = [];
  for (const { layer, cosines, activations } of mlps) {
    const of = (kind: LayerBar["kind"], values: ArrayLike<number>, count: number, end: number): LayerBar[] =>
      histogram(values, count, { from: -end, to: end }).map(({ from, to, share }) => ({
        layer,
        kind,
        at: (from + to) / 2,
        share,
      }));
    const [cosine, activation] = [of("cosine", cosines, 40, 1), of("activation", activations, 42, 0.21)];
    bars.push(...cosine, ...activation);
    const [one, other] = [highest(cosine), highest(activation)];
    peaks.push({
      layer,
      cosinePeak: one.at,
      cosineHeight: one.share,
      activationPeak: other.at,
      activationHeight: other.share,
    });
  }
  return { bars, peaks };
}

function highest(bars: readonly LayerBar[]): LayerBar {
  return bars.reduce((best, bar) => (bar.share > best.share ? bar : best));
}
