import type { Positions } from "./activation-cache.js";
import type { Attend } from "./forward.js";
import type { HookNames, Hooks } from "./hooks.js";
import type { KeyValueCache } from "./key-values.js";
import type { PassSize } from "./pass-memory.js";
import type { Padding } from "./padding.js";

/** Options of a forward pass. */
export interface ForwardOptions {
  /** How sequences of unequal length are padded on the left; without it they must be of equal length. */
  padding?: Padding;
  /** Functions by hook point (TransformerLens' names); what one returns replaces the activation. */
  hooks?: Hooks;
  /** Keys and values of what comes before; it stays as it is. */
  past?: KeyValueCache;
  /** What a gradient through this pass is taken by, for the estimate of its memory; `gradientsOf` sets it. */
  gradient?: PassSize["gradient"];
}

/** Options of a pass over a laid-out batch. */
export interface StepOptions {
  hooks?: Hooks;
  cache?: KeyValueCache;
  /** Whether the pass' keys and values are appended to the cache. */
  growing?: boolean;
  /** Attention of another making. */
  attend?: Attend;
  lastPositionOnly?: boolean;
  generating?: boolean;
  stopAtLayer?: number;
  /** Positions per row whose logits will be there at once: all unless said otherwise. */
  logitPositions?: number;
  gradient?: PassSize["gradient"];
}

/** What `runWithCache` is to keep, and where to stop. */
export interface CacheOptions extends ForwardOptions {
  /** Hook points to keep: a name, several, or a predicate over all of them. */
  names: HookNames;
  /** Positions to keep of each; all unless given. */
  positions?: Positions;
}
