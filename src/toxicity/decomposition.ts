import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../model/index.js";
import { lastPosition } from "./activations.js";
import { readActivations } from "./read-activations.js";
import { dot, mean, norm, type Vector } from "./vectors.js";
import { geluNew } from "@alignscope/tensors/scalar";

/** One addend of the residual stream and how large it is. */
export interface SubUpdate {
  /** TransformerLens' name of what is added. */
  name: string;
  /** Block that writes it; null for the embeddings. */
  layer: number | null;
  kind: "embedding" | "attention" | "mlp";
  /** Euclidean length, averaged over texts and positions. */
  meanNorm: number;
}

/** The residual stream taken apart, and how far the sum of the parts is from the whole. */
export interface Decomposition {
  updates: SubUpdate[];
  /** Largest difference between the final residual stream and the sum of all parts, in any coordinate. */
  largestError: number;
  /** Largest coordinate of the final residual stream, for scale. */
  largestValue: number;
}

/**
 * Checks x^L = x^0 + Σ_l (Attn^l + MLP^l) on real activations (paper section 2): every block only adds to the residual
 * stream.
 *
 * @param sequences token ids of equal length
 */
export async function decomposeResidual(
  model: GPT2,
  sequences: readonly (readonly number[])[],
): Promise<Decomposition> {
  const { nLayer } = model.config;
  const parts: Omit<SubUpdate, "meanNorm">[] = [
    { name: "hook_embed", layer: null, kind: "embedding" },
    { name: "hook_pos_embed", layer: null, kind: "embedding" },
  ];
  for (let layer = 0; layer < nLayer; layer += 1) {
    parts.push({ name: `blocks.${layer}.hook_attn_out`, layer, kind: "attention" });
    parts.push({ name: `blocks.${layer}.hook_mlp_out`, layer, kind: "mlp" });
  }
  const final = `blocks.${nLayer - 1}.hook_resid_post`;
  const names = [...parts.map(({ name }) => name), final];
  const activations = readActivations(model, sequences, names, (read) =>
    names.map((name) => tf.clone(read(name))),
  );
  const [whole, ...addends] = (await Promise.all(
    activations.reverse().map((tensor) => tensor.data()),
  )) as Floats[];
  tf.dispose(activations);
  addends.reverse();

  // Summed in float64, so that what is left over is the model's own rounding.
  const sum = new Float64Array((whole as Floats).length);
  for (const addend of addends) addend.forEach((x, i) => (sum[i] = (sum[i] as number) + x));
  const { dModel } = model.config;
  return {
    updates: parts.map((part, i) => ({ ...part, meanNorm: meanRowNorm(addends[i] as Floats, dModel) })),
    largestError: sum.reduce(
      (worst, x, i) => Math.max(worst, Math.abs(x - ((whole as Floats)[i] as number))),
      0,
    ),
    largestValue: (whole as Floats).reduce((largest, x) => Math.max(largest, Math.abs(x)), 0),
  };
}

type Floats = Float32Array;

/** Mean Euclidean length of the rows of a matrix with rows of `width`. */
function meanRowNorm(values: Floats, width: number): number {
  let sum = 0;
  for (let from = 0; from < values.length; from += width) sum += norm(values.subarray(from, from + width));
  return (sum * width) / values.length;
}

/** One MLP's output at one position, rebuilt from its neurons. */
export interface MlpDecomposition {
  layer: number;
  /** The coefficients m_i, [dMlp]. */
  coefficients: Float64Array;
  /** How much each neuron adds, |m_i| |v_i|, [dMlp]. */
  contributions: Float64Array;
  /** The bias of c_proj, the part of the output that no neuron decides, [dModel]. */
  bias: Float64Array;
  /** What the model wrote, [dModel]. */
  written: Float64Array;
  /** Σ_i m_i v_i + bias, [dModel]. */
  rebuilt: Float64Array;
  /** Largest difference between the two, in any coordinate. */
  largestError: number;
}

/**
 * Rebuilds what every MLP writes at the last position of a text from its key and value vectors, in float64 and straight
 * from the definition (equation 2 of the paper): m_i = σ(LN(x) · k_i + b_i), MLP(x) = Σ_i m_i v_i + b.
 */
export async function decomposeMlps(model: GPT2, ids: readonly number[]): Promise<MlpDecomposition[]> {
  const { nLayer, dMlp, dModel, layerNormEpsilon } = model.config;
  const layers = Array.from({ length: nLayer }, (_, layer) => layer);
  const names = layers.flatMap((layer) => [`blocks.${layer}.hook_resid_mid`, `blocks.${layer}.hook_mlp_out`]);
  const last = readActivations(model, [ids], names, (activations) =>
    tf.concat(names.map((name) => lastPosition(activations(name)))),
  );
  const rows = Float64Array.from(await last.data()); // [names, dModel]
  last.dispose();
  const row = (name: string) =>
    rows.subarray(names.indexOf(name) * dModel, (names.indexOf(name) + 1) * dModel);

  const result: MlpDecomposition[] = [];
  for (const layer of layers) {
    const weight = (name: string) => model.weight(`h.${layer}.${name}`).data();
    const residual = row(`blocks.${layer}.hook_resid_mid`);
    const written = row(`blocks.${layer}.hook_mlp_out`);
    const input = layerNormed(
      residual,
      await weight("ln_2.weight"),
      await weight("ln_2.bias"),
      layerNormEpsilon,
    );

    const keys = await weight("mlp.c_fc.weight"); // [dModel, dMlp]: key vector i is column i
    const keyBias = await weight("mlp.c_fc.bias");
    const coefficients = Float64Array.from({ length: dMlp }, (_, i) => {
      let sum = keyBias[i] as number;
      for (let j = 0; j < dModel; j += 1) sum += (input[j] as number) * (keys[j * dMlp + i] as number);
      return geluNew(sum);
    });

    const values = await weight("mlp.c_proj.weight"); // [dMlp, dModel]: value vector i is row i
    const bias = Float64Array.from(await weight("mlp.c_proj.bias"));
    const rebuilt = Float64Array.from(bias);
    const contributions = coefficients.map((coefficient, i) => {
      const value = values.subarray(i * dModel, (i + 1) * dModel);
      for (let j = 0; j < dModel; j += 1)
        rebuilt[j] = (rebuilt[j] as number) + coefficient * (value[j] as number);
      return Math.abs(coefficient) * norm(value);
    });
    const largestError = rebuilt.reduce(
      (worst, x, j) => Math.max(worst, Math.abs(x - (written[j] as number))),
      0,
    );
    result.push({ layer, coefficients, contributions, bias, written, rebuilt, largestError });
  }
  return result;
}

function layerNormed(x: Vector, weight: Vector, bias: Vector, epsilon: number): Float64Array {
  const centre = mean(x);
  const centred = Float64Array.from(x, (value) => value - centre);
  const scale = Math.sqrt(dot(centred, centred) / centred.length + epsilon);
  return centred.map((value, j) => (value / scale) * (weight[j] as number) + (bias[j] as number));
}
