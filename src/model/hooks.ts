import type * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { suggestion } from "@alignscope/base/nearest";
import type { GPT2Config } from "./config.js";

/** What a hook is told about the place it stands at. */
export interface HookContext {
  /** TransformerLens' name of the hook point. */
  name: string;
  /** The block, or null for the embeddings and the last layer norm. */
  layer: number | null;
  /** Whether this pass chooses a token, so that only its last position counts. */
  generating: boolean;
}

/**
 * Sees the activation at a hook point; a tensor it returns (of the same shape) replaces the activation.
 *
 * The activation lives until the pass ends. A hook that holds on to it, or reads its values (`await x.data()` comes back
 * after the pass), does so with a copy of its own: `tf.keep(tf.clone(x))`.
 */
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

/**
 * A hook point's full name from TransformerLens' short one: `hookName("resid_mid", 19)` is `blocks.19.hook_resid_mid`,
 * `hookName("post", 3)` is `blocks.3.mlp.hook_post`, `hookName("embed")` is `hook_embed`; a full name is left alone. What
 * both layer norms of a block have is told apart as `ln1.hook_scale` and `ln2.hook_scale`.
 */
export function hookName(short: string, layer?: number): string {
  if (layer === undefined) return short.includes("hook_") ? short : `hook_${short}`;
  const meant = BLOCK_POINTS.filter((known) => known === short || known.endsWith(`hook_${short}`));
  const [point] = meant;
  if (meant.length > 1) {
    throw new UserError(`ambiguous activation: ${short} (expected ${meant.join(" or ")})`);
  }
  if (!point) {
    throw new UserError(
      `unknown activation: ${short} (${suggestion(
        short,
        BLOCK_POINTS.map((known) => known.replace(/^.*hook_/, "")),
      )})`,
    );
  }
  return `blocks.${layer}.${point}`;
}

/** Which hook points are meant: one name, several, or a predicate over all of them. */
export type HookNames = string | readonly string[] | ((name: string) => boolean);

/**
 * The hook points that `names` means, in the order of the forward pass; refuses what is none, and what a pass that stops
 * before block `stopAtLayer` does not reach.
 */
export function selectHookPoints(
  config: Pick<GPT2Config, "nLayer">,
  names: HookNames,
  stopAtLayer?: number,
): string[] {
  const all = hookPoints(config);
  const end = stopAtLayer === undefined ? undefined : blocksBefore(stopAtLayer, config);
  const reached = (name: string): boolean =>
    end === undefined || (!name.startsWith("ln_final.") && (layerOf(name) ?? -1) < end);
  if (typeof names === "function") return all.filter((name) => reached(name) && names(name));
  const wanted = new Set(typeof names === "string" ? [names] : names);
  checkHookNames(config, wanted);
  const beyond = [...wanted].find((name) => !reached(name));
  if (beyond) throw new UserError(`${beyond}: a pass that stops before block ${end} does not reach it`);
  return all.filter((name) => wanted.has(name));
}

/** How many blocks a pass runs that stops before `layer`, which may count from the end. */
export function blocksBefore(layer: number, { nLayer }: Pick<GPT2Config, "nLayer">): number {
  const own = layer < 0 ? layer + nLayer : layer;
  if (!Number.isInteger(layer) || own < 0 || own > nLayer) {
    throw new UserError(`stopAtLayer: got ${layer}, expected ${-nLayer} to ${nLayer}`);
  }
  return own;
}

/** The block that a hook point belongs to; null for the embeddings and the last layer norm. */
function layerOf(name: string): number | null {
  const layer = /^blocks\.(\d+)\./.exec(name)?.[1];
  return layer === undefined ? null : Number(layer);
}

/** How many blocks a pass has to run to reach these hook points. */
export function blocksUpTo(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => (layerOf(name) ?? -1) + 1));
}

/** Refuses names that are no hook points of this model, and says which is nearest. */
export function checkHookNames(config: Pick<GPT2Config, "nLayer">, names: Iterable<string>): void {
  const known = new Set(hookPoints(config));
  for (const name of names) {
    if (known.has(name)) continue;
    if ((layerOf(name) ?? -1) >= config.nLayer) {
      throw new UserError(
        `unknown hook: ${name} (the model has ${config.nLayer} blocks: 0 to ${config.nLayer - 1})`,
      );
    }
    throw new UserError(`unknown hook: ${name} (${suggestion(name, [...known])})`);
  }
}

/** Runs the hook at a point, if there is one; what it returns must have the activation's shape. */
export function applyHook<T extends tf.Tensor>(
  hooks: Hooks,
  name: string,
  activation: T,
  generating: boolean,
): T {
  const hook = hooks[name];
  if (!hook) return activation;
  const replaced = hook(activation, { name, layer: layerOf(name), generating });
  if (!replaced) return activation;
  if (replaced.shape.join() !== activation.shape.join()) {
    throw new UserError(`hook ${name} returned [${replaced.shape}], expected [${activation.shape}]`);
  }
  return replaced as T;
}

/** Hooks of `[name, hook]` pairs; several at one point run one after the other. */
export function hooksOf(pairs: Iterable<readonly [string, Hook]>): Hooks {
  const hooks: Hooks = {};
  for (const [name, hook] of pairs) {
    const first = hooks[name];
    hooks[name] = first
      ? (activation, context) => {
          const replaced = first(activation, context);
          return hook(replaced ?? activation, context) ?? replaced;
        }
      : hook;
  }
  return hooks;
}
