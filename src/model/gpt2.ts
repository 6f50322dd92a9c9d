import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../data/errors";
import { writeFileAtomic, writeJsonAtomic } from "../data/files";
import { configJson, readConfig, type GPT2Config } from "./config";
import { forward, type KeyValueCache } from "./forward";
import { checkHookNames, type Hooks } from "./hooks";
import { attentionBias, layOut, type Batch, type Padding } from "./padding";
import { initialValues, parameterShapes, type Parameters } from "./parameters";
import { encodeSafetensors } from "./safetensors";
import { loadParameters } from "./weights";

/** Options of a forward pass. */
export interface ForwardOptions {
  /** How sequences of unequal length are padded on the left; without it they must be of equal length. */
  padding?: Padding;
  /** Functions by hook point (TransformerLens' names); what one returns replaces the activation. */
  hooks?: Hooks;
}

/** Options of a step within a generation. */
interface StepOptions extends ForwardOptions {
  cache?: KeyValueCache;
  /** Positions already in the cache. */
  past?: number;
  lastPositionOnly?: boolean;
  generating?: boolean;
}

/**
 * A GPT-2 with hook points.
 *
 * @example
 * await openBackend("auto");
 * const model = await GPT2.load("data/lab/model");
 * const logits = model.forward([[464, 2068, 7586]]); // [1, 3, vocab]
 */
export class GPT2 {
  private constructor(
    readonly config: GPT2Config,
    private readonly parameters: Parameters,
  ) {}

  /** Loads a folder in Hugging Face's layout (config.json, model.safetensors or its shards) onto the current backend. */
  static async load(folder: string): Promise<GPT2> {
    const config = readConfig(folder);
    await tf.ready();
    return new GPT2(config, loadParameters(folder, config));
  }

  /** A model with fresh random weights, as training starts from. */
  static random(config: GPT2Config, seed = 0): GPT2 {
    return GPT2.fromValues(config, initialValues(config, seed));
  }

  /** A model of the given parameter values, row by row. */
  static fromValues(config: GPT2Config, values: Map<string, Float32Array>): GPT2 {
    const parameters: Parameters = new Map();
    for (const [name, shape] of parameterShapes(config)) {
      const data = values.get(name);
      if (!data) throw new UserError(`parameter ${name} is missing, expected [${shape}]`);
      parameters.set(name, tf.keep(tf.tensor(data, shape)));
    }
    return new GPT2(config, parameters);
  }

  /** Names of all parameters, in the order of the forward pass. */
  get parameterNames(): string[] {
    return [...this.parameters.keys()];
  }

  /**
   * A parameter by Hugging Face's name without `transformer.`, e.g. `h.3.mlp.c_proj.weight` `[dMlp, dModel]`, whose rows
   * are the value vectors of block 3. It belongs to the model: do not dispose it.
   */
  weight(name: string): tf.Tensor {
    const tensor = this.parameters.get(name);
    if (!tensor)
      throw new UserError(
        `unknown parameter: ${name} (the model has ${this.parameterNames.slice(0, 3).join(", ")}, …)`,
      );
    return tensor;
  }

  /** The unembedding's rows, `[vocab, dModel]`: `lm_head.weight`, or the token embedding it is tied to. */
  get unembedding(): tf.Tensor2D {
    return (this.parameters.get("lm_head.weight") ?? this.weight("wte.weight")) as tf.Tensor2D;
  }

  /** The same shape around other tensors, which stay the caller's: for gradients by parameters. */
  withParameters(parameters: Parameters): GPT2 {
    return new GPT2(this.config, parameters);
  }

  /**
   * Another model with some parameters replaced; those that are not replaced are shared, so dispose of the copy before
   * the original, with {@link dispose} as well.
   */
  withWeights(replacements: Map<string, tf.Tensor>): GPT2 {
    const parameters: Parameters = new Map();
    for (const [name, tensor] of this.parameters) {
      const replacement = replacements.get(name);
      if (replacement && replacement.shape.join() !== tensor.shape.join()) {
        throw new UserError(`parameter ${name} is [${tensor.shape}], the replacement [${replacement.shape}]`);
      }
      parameters.set(name, tf.keep(tf.clone(replacement ?? tensor)));
    }
    for (const name of replacements.keys()) this.weight(name);
    return new GPT2(this.config, parameters);
  }

  /**
   * Logits of every position.
   *
   * @param ids token ids, one array per sequence, no longer than the context
   * @returns `[batch, position, vocab]`, positions counted with the pads on the left
   */
  forward(ids: readonly (readonly number[])[], options: ForwardOptions = {}): tf.Tensor3D {
    return this.step(layOut(ids, this.config, options.padding), options);
  }

  /**
   * A forward pass that keeps the activations at the named hook points, and only those.
   *
   * @example
   * const { cache } = model.runWithCache([[1, 2, 3]], { names: ["blocks.5.hook_resid_mid"] });
   */
  runWithCache(
    ids: readonly (readonly number[])[],
    options: ForwardOptions & { names: readonly string[] },
  ): { logits: tf.Tensor3D; cache: Map<string, tf.Tensor> } {
    const cache = new Map<string, tf.Tensor>();
    const hooks: Hooks = { ...options.hooks };
    for (const name of options.names) {
      const before = hooks[name];
      hooks[name] = (activation, context) => {
        const replaced = before?.(activation, context);
        cache.set(name, tf.keep(tf.clone(replaced ?? activation)));
        return replaced;
      };
    }
    try {
      return { logits: this.forward(ids, { ...options, hooks }), cache };
    } catch (error) {
      tf.dispose([...cache.values()]);
      throw error;
    }
  }

  /** One pass over a laid-out batch; with a cache, over its new positions only. */
  step(batch: Batch, options: StepOptions = {}): tf.Tensor3D {
    const hooks = options.hooks ?? {};
    checkHookNames(this.config, Object.keys(hooks));
    const keys = batch.length + (options.past ?? 0);
    if (keys > this.config.nPositions) {
      throw new UserError(
        `${keys} tokens, the model's context holds ${this.config.nPositions}: shorten the prompt`,
      );
    }
    return tf.tidy(() =>
      forward(this.parameters, this.config, {
        ids: batch.ids,
        batch: batch.batch,
        positions: batch.positions,
        attentionBias: attentionBias(
          batch.length,
          keys,
          options.padding === "as-published" ? [] : batch.pads,
        ),
        cache: options.cache,
        lastPositionOnly: options.lastPositionOnly,
        listens: (name) => name in hooks,
        hook: (name, activation) => {
          const hook = hooks[name];
          if (!hook) return activation;
          const layer = /^blocks\.(\d+)\./.exec(name)?.[1];
          const context = {
            name,
            layer: layer === undefined ? null : Number(layer),
            generating: options.generating ?? false,
          };
          const replaced = hook(activation, context);
          if (!replaced) return activation;
          if (replaced.shape.join() !== activation.shape.join()) {
            throw new UserError(`hook ${name} returned [${replaced.shape}], expected [${activation.shape}]`);
          }
          return replaced as typeof activation;
        },
      }),
    );
  }

  /** Frees the parameters. */
  dispose(): void {
    tf.dispose([...this.parameters.values()]);
    this.parameters.clear();
  }

  /** Writes config.json and model.safetensors, each aside and then renamed. */
  async save(folder: string, { dtype = "F32" }: { dtype?: "F32" | "F16" } = {}): Promise<void> {
    const tensors: [string, { shape: number[]; data: Float32Array }][] = [];
    for (const [name, tensor] of this.parameters) {
      tensors.push([name, { shape: tensor.shape, data: (await tensor.data()) as Float32Array }]);
    }
    writeFileAtomic(join(folder, "model.safetensors"), encodeSafetensors(tensors, dtype));
    writeJsonAtomic(join(folder, "config.json"), configJson(this.config));
  }
}
