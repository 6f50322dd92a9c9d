import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { valueAndGradients } from "@alignscope/tensors/tape";
import type { GPT2 } from "./gpt2.js";
import type { ForwardOptions } from "./pass-options.js";
import { selectHookPoints, type HookNames, type Hooks } from "./hooks.js";

/** What to take the gradient by. */
export interface GradientOptions extends ForwardOptions {
  /** Parameters by name, or `"all"` of them. */
  parameters?: "all" | readonly string[];
  /** Hook points, whose activations the gradient is taken by: after what hooks make of them. */
  activations?: HookNames;
  /** Whether to take it by the keys and values of `past` as well. */
  keyValues?: boolean;
}

/** A scalar and its gradients. The tensors are the caller's: {@link Gradients.dispose} frees them all. */
export interface Gradients {
  value: number;
  /** By parameter name, each shaped like the parameter. */
  parameters: Map<string, tf.Tensor>;
  /** By hook point, each shaped like the activation. */
  activations: Map<string, tf.Tensor>;
  /** By block, `[batch, past position, dModel]`; empty unless asked for. */
  keys: tf.Tensor3D[];
  values: tf.Tensor3D[];
  dispose(): void;
}

/**
 * The gradient of any scalar by parameters, by activations at hook points, and by keys and values of the past. What the
 * scalar does not depend on has a gradient of zeros.
 *
 * @param scalar computes it from the model; it gets options with hooks, padding and past in force, and hands them on to the
 *   forward pass whose activations and past are meant
 *
 * @example
 * // What the logit of token 7 at the last position owes to each block's residual stream.
 * const { activations } = await gradientsOf(
 *   model,
 *   (options) => tf.sum(tf.slice(model.forward(ids, options), [0, ids[0].length - 1, 7], [-1, 1, 1])),
 *   { activations: (name) => name.endsWith("hook_resid_post") },
 * );
 */
export async function gradientsOf(
  model: GPT2,
  scalar: (options: ForwardOptions) => tf.Tensor,
  { parameters = [], activations = [], keyValues = false, ...options }: GradientOptions,
): Promise<Gradients> {
  const names = parameters === "all" ? model.parameterNames : [...parameters];
  const points = selectHookPoints(model.config, activations);
  const { past } = options;
  if (keyValues && !past) throw new UserError("gradient by keys and values: no past was given");
  if (names.length + points.length === 0 && !keyValues) {
    throw new UserError("gradient of nothing: say parameters, activations or keyValues");
  }
  const blocks = keyValues ? model.config.nLayer : 0;

  const { value, gradients } = tf.tidy(() => {
    const filled = Array.from({ length: blocks }, (_, layer) => past?.filled(layer));
    const keys = filled.map((block) => block?.keys as tf.Tensor3D);
    const values = filled.map((block) => block?.values as tf.Tensor3D);
    const watched = new Map<string, tf.Tensor>();
    const hooks = watchingHooks(points, options.hooks, watched);
    const gradient = names.length > 0 ? ("parameters" as const) : ("activations" as const);
    const own = { ...options, hooks, gradient, past: keyValues ? past?.with(keys, values) : past };

    // Activations are sources that the scalar itself brings forth.
    const sources: tf.Tensor[] = [...names.map((name) => model.weight(name)), ...keys, ...values];
    const compute = (): tf.Scalar => {
      const result = scalar(own);
      if (result.size !== 1) {
        throw new UserError(
          `gradient of a tensor [${result.shape}]: expected a scalar (tf.sum or tf.mean it)`,
        );
      }
      sources.push(...points.map((point) => reached(watched, point)));
      return tf.reshape(result, []);
    };
    const { value, gradients } = valueAndGradients(compute, sources);
    return { value, gradients: sources.map(({ shape }, i) => gradients[i] ?? tf.zeros(shape)) };
  });

  const [number = Number.NaN] = await value.data();
  value.dispose();
  const take = (count: number): tf.Tensor[] => gradients.splice(0, count);
  const all = [...gradients];
  const byName = take(names.length);
  const keys = take(blocks) as tf.Tensor3D[];
  const values = take(blocks) as tf.Tensor3D[];
  return {
    value: number,
    parameters: new Map(names.map((name, i) => [name, byName[i] as tf.Tensor])),
    activations: new Map(points.map((point, i) => [point, gradients[i] as tf.Tensor])),
    keys,
    values,
    dispose: () => tf.dispose(all),
  };
}

/** Hooks that remember the activations at `points`, after what `hooks` make of them. */
function watchingHooks(points: readonly string[], hooks: Hooks = {}, watched: Map<string, tf.Tensor>): Hooks {
  const watching: Hooks = { ...hooks };
  for (const point of points) {
    const before = hooks[point];
    watching[point] = (activation, context) => {
      const replaced = before?.(activation, context);
      watched.set(point, replaced ?? activation);
      return replaced;
    };
  }
  return watching;
}

function reached(watched: Map<string, tf.Tensor>, point: string): tf.Tensor {
  const activation = watched.get(point);
  if (activation) return activation;
  throw new UserError(
    `gradient by ${point}: no pass reached it; hand the options that the scalar gets on to model.forward`,
  );
}
