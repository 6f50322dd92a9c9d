import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
import { suggestion } from "@alignscope/base/nearest";
import { embed, reshape, rowsAtATime, tokenLogProbs } from "@alignscope/tensors/ops";
import { encodeSafetensors } from "@alignscope/tensors/safetensors";
import { isDifferentiating } from "@alignscope/tensors/tape";
import { ActivationCache, keepingHooks } from "./activation-cache.js";
import { configJson, readConfig, type GPT2Config } from "./config.js";
import { finalNorm, runBlocks, unembeddingOf, type ForwardInput } from "./forward.js";
import {
  applyHook,
  blocksBefore,
  checkHookNames,
  hooksOf,
  selectHookPoints,
  type Hook,
  type Hooks,
} from "./hooks.js";
import { KeyValueCache } from "./key-values.js";
import { checkMemory } from "./pass-memory.js";
import { layOut, layOutAfter, type Batch } from "./padding.js";
import { parametersOf, randomParameters, type Parameters } from "./parameters.js";
import type { CacheOptions, ForwardOptions, StepOptions } from "./pass-options.js";
import { processWeights, type Processing } from "./processing.js";
import { loadParameters } from "./weights.js";

const NO_HOOKS: Pick<ForwardInput, "hooked" | "hook"> = {
  hooked: new Set(),
  hook: (_, activation) => activation,
};

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

  /**
   * Loads a folder in Hugging Face's layout (config.json, model.safetensors or its shards) onto the current backend,
   * tensor by tensor; the wasm backend reads the file straight into its memory, so that no weight is there twice.
   *
   * @param options how the weights are held
   * @param options.processing `"none"`: the weights as they are; `"folded"`: as TransformerLens holds them
   */
  static async load(
    folder: string,
    { processing = "none" }: { processing?: Processing } = {},
  ): Promise<GPT2> {
    const config = readConfig(folder);
    await tf.ready();
    const parameters = loadParameters(folder, config);
    if (processing === "none") return new GPT2(config, parameters);
    return new GPT2(config, processWeights(parameters, config, processing, { takeOver: true }));
  }

  /** A model with fresh random weights, as training starts from. */
  static random(config: GPT2Config, seed = 0): GPT2 {
    return new GPT2(config, randomParameters(config, seed));
  }

  /**
   * A model of the given parameter values, row by row; an unembedding of its own (`lm_head.weight`, `lm_head.bias`) where
   * they are among them.
   */
  static fromValues(config: GPT2Config, values: ReadonlyMap<string, Float32Array>): GPT2 {
    return new GPT2(config, parametersOf(config, values));
  }

  /** A model around tensors that stay the caller's, e.g. the arguments of a function to differentiate. */
  static of(config: GPT2Config, parameters: Parameters): GPT2 {
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
    if (!tensor) throw new UserError(`unknown parameter: ${name} (${suggestion(name, this.parameterNames)})`);
    return tensor;
  }

  /** The unembedding's rows, `[vocab, dModel]`: `lm_head.weight`, or the token embedding it is tied to. */
  get unembedding(): tf.Tensor2D {
    return this.unembeddingWithBias.weight;
  }

  /** The unembedding and, in a folded model, its bias `[vocab]`. */
  get unembeddingWithBias(): { weight: tf.Tensor2D; bias?: tf.Tensor1D } {
    return unembeddingOf(this.parameters);
  }

  /**
   * Logits `[rows, vocab]` of what the last layer norm gives, `[rows, dModel]`.
   *
   * @param options what is added
   * @param options.bias whether a folded model's bias is added; true unless said otherwise
   */
  unembed(rows: tf.Tensor2D, { bias = true } = {}): tf.Tensor2D {
    const head = this.unembeddingWithBias;
    return tf.tidy(() => {
      const logits: tf.Tensor2D = tf.matMul(rows, head.weight, false, true);
      return bias && head.bias ? tf.add<tf.Tensor2D>(logits, head.bias) : logits;
    });
  }

  /**
   * Another model with some parameters replaced; those that are not replaced are shared, so dispose of the copy before
   * the original, with {@link dispose} as well.
   */
  withWeights(replacements: Map<string, tf.Tensor>): GPT2 {
    for (const [name, { shape }] of replacements) {
      const own = this.weight(name);
      if (shape.join() !== own.shape.join()) {
        throw new UserError(`parameter ${name} is [${own.shape}], the replacement [${shape}]`);
      }
    }
    const parameters: Parameters = new Map();
    for (const [name, tensor] of this.parameters) {
      parameters.set(name, tf.keep(tf.clone(replacements.get(name) ?? tensor)));
    }
    return new GPT2(this.config, parameters);
  }

  /** Replaces a parameter's tensor, which is taken over; the one before is the caller's again. For training. */
  setWeight(name: string, tensor: tf.Tensor): void {
    const before = this.weight(name);
    if (tensor.shape.join() !== before.shape.join()) {
      throw new UserError(`parameter ${name} is [${before.shape}], the replacement [${tensor.shape}]`);
    }
    this.parameters.set(name, tf.keep(tensor));
  }

  /** A model of the same function on other weights; see `processWeights`. Both are to be disposed of. */
  processed(processing: Processing): GPT2 {
    return new GPT2(this.config, processWeights(this.parameters, this.config, processing));
  }

  /**
   * Logits of every position.
   *
   * @param ids token ids, one array per sequence, no longer than the context
   * @returns `[batch, position, vocab]`, positions counted with the pads on the left
   */
  forward(ids: readonly (readonly number[])[], options: ForwardOptions = {}): tf.Tensor3D {
    const { hooks, past: cache, gradient } = options;
    return this.step(this.layOut(ids, options), { hooks, cache, gradient });
  }

  /** {@link forward} with hooks, by TransformerLens' name for it: `[name, hook]` pairs or an object. */
  runWithHooks(
    ids: readonly (readonly number[])[],
    hooks: Hooks | readonly (readonly [string, Hook])[],
    options: Omit<ForwardOptions, "hooks"> = {},
  ): tf.Tensor3D {
    const byName = Array.isArray(hooks) ? hooksOf(hooks) : (hooks as Hooks);
    return this.forward(ids, { ...options, hooks: byName });
  }

  /**
   * A forward pass that keeps the activations at the named hook points and positions, and only those.
   *
   * With `stopAtLayer` only the blocks before that one run (negative: counted from the end), no logits are made, and what
   * comes back is the residual stream before that block, `[batch, position, dModel]`.
   *
   * @example
   * const { logits, cache } = model.runWithCache(ids, { names: "blocks.5.hook_resid_mid", positions: -1 });
   * const { residual, cache } = model.runWithCache(ids, { names: (name) => name.endsWith("mlp.hook_post"), stopAtLayer: 4 });
   */
  runWithCache(
    ids: readonly (readonly number[])[],
    options: CacheOptions & { stopAtLayer: number },
  ): { residual: tf.Tensor3D; cache: ActivationCache };
  runWithCache(
    ids: readonly (readonly number[])[],
    options: CacheOptions & { stopAtLayer?: undefined },
  ): { logits: tf.Tensor3D; cache: ActivationCache };
  runWithCache(
    ids: readonly (readonly number[])[],
    { names, positions, stopAtLayer, ...options }: CacheOptions & { stopAtLayer?: number },
  ): { logits?: tf.Tensor3D; residual?: tf.Tensor3D; cache: ActivationCache } {
    const cache = new ActivationCache();
    const points = selectHookPoints(this.config, names, stopAtLayer);
    const hooks = keepingHooks(points, cache, options.hooks, positions);
    try {
      if (stopAtLayer === undefined) return { logits: this.forward(ids, { ...options, hooks }), cache };
      const batch = this.layOut(ids, options);
      return { residual: this.residual(batch, { hooks, cache: options.past, stopAtLayer }), cache };
    } catch (error) {
      cache.dispose();
      throw error;
    }
  }

  /** Runs sequences and returns their keys and values, for passes that continue them; the caller disposes of it. */
  keyValues(ids: readonly (readonly number[])[], options: Omit<ForwardOptions, "past"> = {}): KeyValueCache {
    const batch = this.layOut(ids, options);
    const cache = KeyValueCache.allocate(this.config, batch.pads, batch.length);
    try {
      this.residual(batch, { hooks: options.hooks, cache, growing: true }).dispose();
      return cache;
    } catch (error) {
      cache.dispose();
      throw error;
    }
  }

  /**
   * Log-probability, in nats, of every token given those before it; logits are never all there at once.
   *
   * @returns `[batch, position − 1]`: entry i is log p(token i + 1); meaningless where token i + 1 is a pad
   */
  tokenLogProbs(ids: readonly (readonly number[])[], options: ForwardOptions = {}): tf.Tensor2D {
    const batch = this.layOut(ids, options);
    const { length } = batch;
    if (length < 2) throw new UserError("token log-probabilities: got 1 token, expected at least 2");
    const targets = Int32Array.from({ length: batch.batch * (length - 1) }, (_, i) => {
      const row = Math.floor(i / (length - 1));
      return batch.ids[row * length + (i % (length - 1)) + 1] ?? 0;
    });
    return tf.tidy(() => {
      const { hooks, past: cache, gradient } = options;
      // Without a gradient the logits are made in parts.
      const logitPositions = isDifferentiating()
        ? length
        : Math.min(length, rowsAtATime(this.config.vocabSize) / batch.batch);
      const input = this.input(batch, { hooks, cache, gradient, logitPositions });
      const residual = runBlocks(this.parameters, this.config, input);
      const before = tf.slice(residual, [0, 0, 0], [-1, length - 1, -1]);
      const rows = finalNorm(this.parameters, this.config, input, before);
      const { weight, bias } = this.unembeddingWithBias;
      const picked = tokenLogProbs(rows, weight, tf.tensor1d(targets, "int32"), bias);
      return tf.reshape(picked, [batch.batch, length - 1]);
    });
  }

  /**
   * What the unembedding reads at some positions of a laid-out batch, so that logits can be made of those only: the residual
   * stream after the last layer norm.
   *
   * @param at row · length + position, each in any order
   * @returns `[at.length, dModel]`
   *
   * @example
   * const batch = model.layOut([[464, 2068, 7586]]);
   * const last = model.unembeddingInput(batch, Int32Array.of(2)); // [1, dModel]
   * const logits = model.unembed(last); // [1, vocab]
   */
  unembeddingInput(
    batch: Batch,
    at: Int32Array,
    options: Omit<StepOptions, "logitPositions"> = {},
  ): tf.Tensor2D {
    return tf.tidy(() => {
      const input = this.input(batch, { ...options, logitPositions: Math.ceil(at.length / batch.batch) });
      const residual = runBlocks(this.parameters, this.config, input);
      const stream: tf.Tensor2D = reshape(residual, [batch.batch * batch.length, this.config.dModel]);
      const picked: tf.Tensor3D = reshape(embed(stream, tf.tensor1d(at, "int32")), [
        1,
        at.length,
        this.config.dModel,
      ]);
      return finalNorm(this.parameters, this.config, input, picked);
    });
  }

  /** One pass over a laid-out batch to its logits `[batch, position, vocab]`; with a cache, over its new positions only. */
  step(batch: Batch, options: StepOptions = {}): tf.Tensor3D {
    return tf.tidy(() => {
      const input = this.input(batch, options);
      const residual = runBlocks(this.parameters, this.config, input);
      const last = options.lastPositionOnly ? residual.shape[1] - 1 : 0;
      const read = last > 0 ? tf.slice(residual, [0, last, 0], [-1, 1, -1]) : residual;
      return this.logitsOf(read, input);
    });
  }

  /**
   * What the model makes of a residual stream after its last block: the last layer norm, then the unembedding.
   *
   * @param residual `[batch, position, dModel]`
   * @returns logits `[batch, position, vocab]`
   */
  logitsOf(residual: tf.Tensor3D, hooks: Pick<ForwardInput, "hooked" | "hook"> = NO_HOOKS): tf.Tensor3D {
    const { vocabSize } = this.config;
    return tf.tidy(() => {
      const rows = finalNorm(this.parameters, this.config, hooks, residual);
      return tf.reshape(this.unembed(rows), [residual.shape[0], residual.shape[1], vocabSize]);
    });
  }

  /**
   * The residual stream after the last block, `[batch, position, dModel]`, through the last layer norm: what the
   * unembedding reads, as rows `[batch·position, dModel]`.
   */
  finalNorm(residual: tf.Tensor3D): tf.Tensor2D {
    return tf.tidy(() => finalNorm(this.parameters, this.config, NO_HOOKS, residual));
  }

  /** The residual stream after the last block, or before `stopAtLayer`: `[batch, position, dModel]`, without unembedding. */
  residual(batch: Batch, options: StepOptions = {}): tf.Tensor3D {
    return tf.tidy(() =>
      runBlocks(this.parameters, this.config, this.input(batch, { ...options, logitPositions: 0 })),
    );
  }

  /** Lays sequences out as a batch, or as what follows a cache. */
  layOut(ids: readonly (readonly number[])[], { padding, past }: ForwardOptions = {}): Batch {
    return past ? layOutAfter(ids, this.config, past) : layOut(ids, this.config, padding);
  }

  private input(batch: Batch, options: StepOptions): ForwardInput {
    const { config } = this;
    const hooks = options.hooks ?? {};
    checkHookNames(config, Object.keys(hooks));
    if (batch.hidden && options.cache)
      throw new Error("a batch that hides positions one by one cannot continue a cache");
    const keys = batch.length + (options.cache?.length ?? 0);
    if (keys > config.nPositions) {
      throw new UserError(
        `${keys} tokens, the model's context holds ${config.nPositions}: shorten the prompt`,
      );
    }
    checkMemory(config, {
      batch: batch.batch,
      positions: batch.length,
      keys,
      gradient: isDifferentiating() ? (options.gradient ?? "activations") : undefined,
      logitPositions: options.lastPositionOnly ? 1 : options.logitPositions,
    });
    return {
      ...batch,
      cache: options.cache,
      growing: options.growing,
      attend: options.attend,
      stopAtLayer: options.stopAtLayer === undefined ? undefined : blocksBefore(options.stopAtLayer, config),
      hooked: new Set(Object.keys(hooks)),
      hook: (name, activation) => applyHook(hooks, name, activation, options.generating ?? false),
    };
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
    const tied = !this.parameters.has("lm_head.weight");
    writeJsonAtomic(join(folder, "config.json"), { ...configJson(this.config), tie_word_embeddings: tied });
  }
}
