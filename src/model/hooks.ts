import type * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../data/errors";
import { suggestion } from "../data/nearest";
import type { GPT2Config } from "./config";

/** What a hook is told about the place it stands at. */
export interface HookContext {
  /** TransformerLens' name of the hook point. */
  name: string;
  /** The block, or null for the embeddings and the last layer norm. */
  layer: number | null;
  /** Whether this pass chooses a token, so that only its last position counts. */
  generating: boolean;
}

/** Sees the activation at a hook point; a tensor it returns (of the same shape) replaces the activation. */
export type Hook = (activation: tf.Tensor, context: HookContext) => tf.Tensor | void;

/** Hooks by hook point, e.g. `{ "blocks.5.hook_mlp_out": (x) => tf.mul(x, 0) }`. */
export type Hooks = Record<string, Hook>;

const BLOCK_POINTS = [
  "hook_resid_pre",
  "ln1.hook_scale",
  "ln1.hook_normalized",
  "attn.hook_q",
  "attn.hook_k",
  "attn.hook_v",
  "attn.hook_attn_scores",
  "attn.hook_pattern",
  "attn.hook_z",
  "hook_attn_out",
  "hook_resid_mid",
  "ln2.hook_scale",
  "ln2.hook_normalized",
  "mlp.hook_pre",
  "mlp.hook_post",
  "hook_mlp_out",
  "hook_resid_post",
] as const;

/** Every hook point of a model of this shape, in the order of the forward pass, by TransformerLens' names. */
export function hookPoints(config: Pick<GPT2Config, "nLayer">): string[] {
  const points = ["hook_embed", "hook_pos_embed"];
  for (let layer = 0; layer < config.nLayer; layer++) {
    points.push(...BLOCK_POINTS.map((point) => `blocks.${layer}.${point}`));
  }
  points.push("ln_final.hook_scale", "ln_final.hook_normalized");
  return points;
}

/** Refuses names that are no hook points of this model, and says which is nearest. */
export function checkHookNames(config: Pick<GPT2Config, "nLayer">, names: Iterable<string>): void {
  const known = new Set(hookPoints(config));
  for (const name of names) {
    if (known.has(name)) continue;
    const block = /^blocks\.(\d+)\./.exec(name);
    if (block && Number(block[1]) >= config.nLayer) {
      throw new UserError(
        `unknown hook: ${name} (the model has ${config.nLayer} blocks: 0 to ${config.nLayer - 1})`,
      );
    }
    throw new UserError(`unknown hook: ${name} (${suggestion(name, [...known])})`);
  }
}
