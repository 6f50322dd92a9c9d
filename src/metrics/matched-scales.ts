import type { GPT2 } from "../model/index.js";
import { scaleForPerplexity, type FoundScale } from "../toxicity/interventions.js";
import { norm } from "@alignscope/tensors/vectors";
import { lastLayerPerplexity, type LastLayerShift, type PerplexityOptions } from "./perplexity.js";

/** A direction of the residual stream under the name it has in tables. */
export interface Direction {
  id: string;
  label: string;
  /** [dModel] */
  vector: ArrayLike<number>;
}

/** A direction with the scale at which subtracting it costs what all others cost. */
export type MatchedDirection = Direction & LastLayerShift & FoundScale;

/**
 * Scales each direction so that subtracting it raises the text's perplexity by the same factor (paper section 3.3: α is
 * chosen so that perplexity comes out alike). Directions of different length, and random ones, become comparable.
 *
 * @param ids the text's tokens
 * @param options what they are to cost, and how that is measured
 * @param options.ratio target perplexity over the unchanged model's, above 1
 */
export async function matchScales<D extends Direction>(
  model: GPT2,
  ids: readonly number[],
  directions: readonly D[],
  {
    ratio,
    tolerance = 1e-3,
    onProgress,
    ...options
  }: Omit<PerplexityOptions, "hooks"> & { ratio: number; tolerance?: number },
): Promise<{ base: number; matched: (D & MatchedDirection)[] }> {
  const text = lastLayerPerplexity(model, ids, options);
  try {
    const zero = new Float64Array(model.config.dModel);
    const base = await text.under({ vector: zero, scale: 0 });
    const matched: (D & MatchedDirection)[] = [];
    // Directions need displacements of like size: each search starts from where the one before it ended.
    let displacement = 1;
    for (const direction of directions) {
      const length = norm(direction.vector);
      const found = await scaleForPerplexity((scale) => text.under({ vector: direction.vector, scale }), {
        base,
        target: base * ratio,
        start: displacement / length,
        tolerance,
      });
      displacement = found.scale * length;
      matched.push({ ...direction, ...found });
      onProgress?.(matched.length, directions.length);
    }
    return { base, matched };
  } finally {
    text.dispose();
  }
}
