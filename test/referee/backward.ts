import { attendReverse } from "./attention.js";
import { scaledAndShifted, unembedding, weightOf, type Pass } from "./forward.js";
import { affineReverse, columnSums, geluSlope, product, normaliseReverse, sum, transposed } from "./ops.js";

/** Gradients of one number. */
export interface Gradients {
  /** By every parameter, in its layout. */
  weights: Map<string, Float64Array>;
  /** By the residual stream at each of its hook points (resid_pre, resid_mid, resid_post), `[batch, position, dModel]`. */
  residuals: Map<string, Float64Array>;
}

/**
 * The reverse of a forward pass, written by hand.
 *
 * @param dLogits the cotangent of the logits, `[batch, position, vocab]`: the gradient by them of the number in question
 * @example
 * const { loss, dLogits } = nextTokenLoss(pass);
 * backward(pass, dLogits).weights.get("wte.weight");
 */
export function backward(pass: Pass, dLogits: Float64Array): Gradients {
  const { weights, config, batch } = pass;
  const { dModel, vocabSize } = config;
  const rows = batch.batch * batch.positions;
  const gradients: Gradients = {
    weights: new Map([...weights].map(([name, values]) => [name, new Float64Array(values.length)])),
    residuals: new Map(),
  };
  const read = (name: string): Float64Array => pass.activations.get(name)!.values;
  const add = (name: string, gradient: Float64Array): void => {
    const own = weightOf(gradients.weights, name);
    gradient.forEach((value, i) => (own[i]! += value));
  };
  const seen = (name: string, gradient: Float64Array): Float64Array => {
    gradients.residuals.set(name, gradient);
    return gradient;
  };
  const reverseAffine = (name: string, dy: Float64Array, x: Float64Array): Float64Array => {
    const out = weightOf(weights, `${name}.bias`).length;
    const { dx, dWeight, dBias } = affineReverse(dy, x, weightOf(weights, `${name}.weight`), out);
    add(`${name}.weight`, dWeight);
    add(`${name}.bias`, dBias);
    return dx;
  };
  const reverseNorm = (name: string, at: string, dy: Float64Array): Float64Array => {
    const normalized = read(`${at}.hook_normalized`);
    const weight = weightOf(weights, `${name}.weight`);
    add(
      `${name}.weight`,
      columnSums(
        dy.map((value, i) => value * normalized[i]!),
        dModel,
      ),
    );
    add(`${name}.bias`, columnSums(dy, dModel));
    const dNormalized = dy.map((value, i) => value * weight[i % dModel]!);
    return normaliseReverse(dNormalized, normalized, read(`${at}.hook_scale`));
  };

  const last = scaledAndShifted(read("ln_final.hook_normalized"), weights, "ln_f");
  add(
    weights.has("lm_head.weight") ? "lm_head.weight" : "wte.weight",
    product(transposed(dLogits, rows, vocabSize), last, { rows: vocabSize, inner: rows, columns: dModel }),
  );
  const dLast = product(dLogits, unembedding(weights), { rows, inner: vocabSize, columns: dModel });
  let dResidual = reverseNorm("ln_f", "ln_final", dLast);

  for (let layer = config.nLayer - 1; layer >= 0; layer -= 1) {
    const [at, h] = [`blocks.${layer}`, `h.${layer}`];
    seen(`${at}.hook_resid_post`, dResidual);

    const dPost = reverseAffine(`${h}.mlp.c_proj`, dResidual, read(`${at}.mlp.hook_post`));
    const pre = read(`${at}.mlp.hook_pre`);
    const dPre = dPost.map((value, i) => value * geluSlope(pre[i]!));
    const mlpInput = scaledAndShifted(read(`${at}.ln2.hook_normalized`), weights, `${h}.ln_2`);
    const dMlpInput = reverseAffine(`${h}.mlp.c_fc`, dPre, mlpInput);
    dResidual = seen(
      `${at}.hook_resid_mid`,
      sum(dResidual, reverseNorm(`${h}.ln_2`, `${at}.ln2`, dMlpInput)),
    );

    const dz = reverseAffine(`${h}.attn.c_proj`, dResidual, read(`${at}.attn.hook_z`));
    const [q, k, v, pattern] = ["q", "k", "v", "pattern"].map((name) => read(`${at}.attn.hook_${name}`)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const { dq, dk, dv } = attendReverse(dz, { q, k, v, pattern }, batch, config);
    const dQkv = sideBySide([dq, dk, dv], dModel);
    const attentionInput = scaledAndShifted(read(`${at}.ln1.hook_normalized`), weights, `${h}.ln_1`);
    const dAttentionInput = reverseAffine(`${h}.attn.c_attn`, dQkv, attentionInput);
    dResidual = seen(
      `${at}.hook_resid_pre`,
      sum(dResidual, reverseNorm(`${h}.ln_1`, `${at}.ln1`, dAttentionInput)),
    );
  }

  const [dTokens, dPlaces] = ["wte.weight", "wpe.weight"].map((name) =>
    weightOf(gradients.weights, name),
  ) as [Float64Array, Float64Array];
  for (let i = 0; i < dResidual.length; i += 1) {
    const [row, column] = [Math.floor(i / dModel), i % dModel];
    const place = batch.places[row] ?? null;
    dTokens[batch.ids[row]! * dModel + column]! += dResidual[i]!;
    if (place !== null) dPlaces[place * dModel + column]! += dResidual[i]!;
  }
  return gradients;
}

/** Rows of several matrices of the same width, one after the other: `[rows, parts·width]`. */
function sideBySide(parts: Float64Array[], width: number): Float64Array {
  const stride = parts.length * width;
  return Float64Array.from({ length: parts[0]!.length * parts.length }, (_, i) => {
    const [row, column] = [Math.floor(i / stride), i % stride];
    return parts[Math.floor(column / width)]![row * width + (column % width)]!;
  });
}
