import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError, messageOf } from "@alignscope/base/errors";

/** Statistics of a tensor, enough to hold another against it. */
export interface TensorSummary {
  shape: number[];
  norm: number;
  sum: number;
  first8: number[];
  last8: number[];
}

/** The sections of a golden folder's `golden.json` that this project knows; a file may hold others. */
export interface Golden {
  eos: number;
  forward?: {
    ids: number[][];
    loss: number;
    log_probs_last: number[][];
    logits: TensorSummary;
    hooks: Record<string, TensorSummary>;
  };
  gradients?: { loss: number; grads: Record<string, TensorSummary> };
  padding?: {
    sequences: number[][];
    masked_log_probs_last: number[][];
    as_published_log_probs_last: number[][];
    greedy10_masked: number[][];
    greedy10_as_published: number[][];
  };
  intervention?: {
    layer: number;
    neuron: number;
    scale: number;
    greedy10_masked_last_position: number[][];
    all_positions_loss: number;
  };
  perplexity?: { ids: number[]; window: number; ppl: number };
  logit_lens?: {
    token: number;
    rows: string[];
    prob_final_scale_no_bias: number[][];
    prob_own_layer_norm: number[][];
  };
  value_vectors?: {
    probe: number[];
    top24: { cosine: number; layer: number; neuron: number }[];
    singular_values: number[];
    svd_u_first3_sign_fixed_to_probe: number[][];
    top_tokens_of_rank0: number[];
  };
  unalign?: { keys: number; scale: number; loss: number };
  dpo?: GoldenDpo;
  pplm?: {
    context: number[];
    classifier: { weight: number[][]; bias: number[] };
    target_class: number;
    step_size: number;
    gamma: number;
    gm_scale: number;
    kl_scale: number;
    top_k: number;
    iterations: number;
    horizon: number;
    losses: { loss: number; cross_entropy: number; kl: number; grad_norms_per_layer: number[] }[];
    unperturbed_top5: number[];
    perturbed_probs_top10: number[];
    perturbed_top10: number[];
    final_top10_ids: number[];
    final_top10_probs: number[];
  };
}

/** The section `dpo` of golden.json; the reference lies in `ref/` beside it. */
export interface GoldenDpo {
  beta: number;
  pairs: { prompt: number[]; chosen: number[]; rejected: number[] }[];
  first_step: {
    rows: { policy: [number, number]; reference: [number, number]; margin: number }[];
    grads_after_clip: Record<string, TensorSummary>;
  };
  max_grad_norm: number;
  /** In words: torch's RMSprop, and its learning rate's warm-up. */
  optimizer: string;
  trajectory: { loss: number; grad_norm: number }[];
  params_after_4_steps: Record<string, TensorSummary>;
  loss_when_policy_is_reference: number;
}

/** Reads `golden.json` of a folder. */
export function readGolden(folder: string): Golden {
  const path = join(folder, "golden.json");
  if (!existsSync(path)) {
    throw new UserError(
      `${path} is missing: expected a folder with config.json, model.safetensors and golden.json`,
    );
  }
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Golden;
  } catch (error) {
    throw new UserError(`${path}: not JSON (${messageOf(error)})`);
  }
}
