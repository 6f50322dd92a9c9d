import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import type { Hook, Hooks } from "./hooks.js";

/**
 * Which positions of an activation to keep: one, several, or a range `{ from, to }` whose end is not included. Negative
 * ones count from the end: −1 is the last.
 */
export type Positions = number | readonly number[] | { from?: number; to?: number };

/** Activations by hook point, as `runWithCache` kept them. They are the caller's: {@link dispose} frees them. */
export class ActivationCache extends Map<string, tf.Tensor> {
  /** An activation that was asked for; another name is an error that says which are there. */
  at<T extends tf.Tensor>(name: string): T {
    const activation = this.get(name);
    if (activation) return activation as T;
    const some = [...this.keys()].slice(0, 4).join(", ");
    throw new UserError(`activation cache: ${name} was not kept (it holds ${some || "nothing"})`);
  }

  dispose(): void {
    tf.dispose([...this.values()]);
    this.clear();
  }
}

/** Hooks that keep the activations at `names` in `cache`, after what `hooks` make of them. */
export function keepingHooks(
  names: readonly string[],
  cache: ActivationCache,
  hooks: Hooks = {},
  positions?: Positions,
): Hooks {
  const keeping = (before: Hook | undefined): Hook => {
    return (activation, context) => {
      const replaced = before?.(activation, context);
      const whole = replaced ?? activation;
      cache.set(
        context.name,
        tf.keep(positions === undefined ? tf.clone(whole) : atPositions(whole, context.name, positions)),
      );
      return replaced;
    };
  };
  return { ...hooks, ...Object.fromEntries(names.map((name) => [name, keeping(hooks[name])])) };
}

/** The wanted positions of an activation: axis 1, but the queries of `[batch, head, query, key]`. */
function atPositions(activation: tf.Tensor, name: string, positions: Positions): tf.Tensor {
  const axis = /hook_(attn_scores|pattern)$/.test(name) ? 2 : 1;
  const length = activation.shape[axis] ?? 0;
  const place = (position: number): number => {
    const own = position < 0 ? position + length : position;
    if (!Number.isInteger(position) || own < 0 || own >= length) {
      throw new UserError(
        `position ${position}: ${name} has ${length}, expected ${-length} to ${length - 1}`,
      );
    }
    return own;
  };
  const cut = (from: number, count: number): tf.Tensor => {
    const begin = activation.shape.map((_, i) => (i === axis ? from : 0));
    return tf.slice(
      activation,
      begin,
      activation.shape.map((size, i) => (i === axis ? count : size)),
    );
  };
  if (typeof positions === "number") return cut(place(positions), 1);
  if ("length" in positions) {
    if (positions.length === 0) throw new UserError("positions: got none, expected at least one");
    return tf.gather(activation, tf.tensor1d(positions.map(place), "int32"), axis);
  }
  const bound = (end: number): number => {
    if (!Number.isInteger(end)) throw new UserError(`position ${end}: expected a whole number`);
    return Math.min(length, Math.max(0, end < 0 ? end + length : end));
  };
  const from = bound(positions.from ?? 0);
  const to = bound(positions.to ?? length);
  if (to <= from)
    throw new UserError(`positions ${from} to ${to}: ${name} has ${length}, expected at least one`);
  return cut(from, to - from);
}
