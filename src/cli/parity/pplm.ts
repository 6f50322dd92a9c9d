import { perturbPast } from "../../alignment/pplm/index.js";
import type { GPT2 } from "../../model/index.js";
import { largest } from "../../toxicity/vocabulary.js";
import { check, exact, maxError, type Check } from "./check.js";
import type { Golden } from "./golden.js";

/** One token of PPLM: losses, gradient norms, and the distributions that come of it. */
export async function checkPplm(model: GPT2, { pplm: golden }: Golden): Promise<Check[]> {
  if (!golden) return [];
  const [own] = await perturbPast(model, [golden.context], {
    attribute: { ...golden.classifier, target: golden.target_class, stream: "post-ln_f" },
    stepSize: golden.step_size,
    gamma: golden.gamma,
    gmScale: golden.gm_scale,
    klScale: golden.kl_scale,
    topK: golden.top_k,
    iterations: golden.iterations,
    horizon: golden.horizon,
  });
  if (!own) throw new Error("pplm: no perturbation of the context");
  const { iterations, unperturbed, perturbed, fused } = own;
  const { losses } = golden;
  const at = (values: number[], ids: number[]): number[] => ids.map((id) => values[id] ?? Number.NaN);
  const off = (measured: number[], expected: number[]): number => maxError([measured], [expected]);
  return [
    check(
      "loss",
      off(
        iterations.map(({ loss }) => loss),
        losses.map(({ loss }) => loss),
      ),
    ),
    check(
      "cross-entropy",
      off(
        iterations.map(({ crossEntropy }) => crossEntropy),
        losses.map(({ cross_entropy: entropy }) => entropy),
      ),
    ),
    check(
      "KL divergence",
      off(
        iterations.map(({ kl }) => kl),
        losses.map(({ kl }) => kl),
      ),
    ),
    check(
      "gradient norms",
      maxError(
        iterations.map(({ gradientNorms }) => gradientNorms),
        losses.map(({ grad_norms_per_layer: norms }) => norms),
      ),
    ),
    exact(
      "unperturbed tokens",
      largest(unperturbed, golden.unperturbed_top5.length),
      golden.unperturbed_top5,
    ),
    check(
      "perturbed probabilities",
      off(at(perturbed, golden.perturbed_top10), golden.perturbed_probs_top10),
    ),
    exact("perturbed tokens", largest(perturbed, golden.perturbed_top10.length), golden.perturbed_top10),
    check("fused probabilities", off(at(fused, golden.final_top10_ids), golden.final_top10_probs)),
    exact("fused tokens", largest(fused, golden.final_top10_ids.length), golden.final_top10_ids),
  ];
}
