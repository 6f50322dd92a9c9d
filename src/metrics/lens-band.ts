import { logitLens, type GPT2, type Normalisation, type Padding } from "../model/index.js";
import { UserError } from "@alignscope/base/errors";
import { bootstrapMean, type MeanWithInterval } from "./bootstrap.js";

/** A row of the logit lens over many texts: the mean probability of a token with its interval. */
export interface LensPoint extends MeanWithInterval {
  /** `0_pre`, `0_mid`, …, `final_post`. */
  row: string;
  /** The row's place, from 0; each block has two. */
  place: number;
}

/** A step of the residual stream between two rows of the lens, and what it adds to the mean probability. */
export interface LensStep {
  block: number;
  part: "attention" | "mlp";
  from: LensPoint;
  to: LensPoint;
  rise: number;
}

/**
 * Figure 1: the probability of a token as the residual stream passes through the blocks, its mean over texts and the
 * interval that a bootstrap over texts gives (docs/recipes.md#figure-1).
 *
 * @param sequences token ids; read at each one's last position
 */
export async function lensBand(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  token: number,
  {
    batchSize = 32,
    padding = "masked",
    normalisation,
    onProgress,
    ...resampling
  }: {
    batchSize?: number;
    padding?: Padding;
    normalisation?: Normalisation;
    resamples?: number;
    level?: number;
    seed?: number;
    onProgress?: (done: number, total: number) => void;
  } = {},
): Promise<LensPoint[]> {
  if (sequences.length === 0) throw new UserError("logit lens got no texts: expected at least one");
  let rows: string[] = [];
  const values: number[][] = [];
  for (let from = 0; from < sequences.length; from += batchSize) {
    const batch = sequences.slice(from, from + batchSize);
    const lens = await logitLens(model, batch, token, { padding, normalisation });
    rows = lens.rows;
    lens.probabilities.forEach((own, row) => (values[row] ??= []).push(...own));
    onProgress?.(Math.min(from + batchSize, sequences.length), sequences.length);
  }
  return rows.map((row, place) => ({ row, place, ...bootstrapMean(values[place] ?? [], resampling) }));
}

/** The steps between the rows of {@link lensBand}, in order: of each block its attention, then its MLP. */
export function lensSteps(points: readonly LensPoint[]): LensStep[] {
  return points.slice(1).map((to, i): LensStep => {
    const from = points[i] as LensPoint;
    return {
      block: Math.floor(i / 2),
      part: i % 2 === 0 ? "attention" : "mlp",
      from,
      to,
      rise: to.mean - from.mean,
    };
  });
}
