import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError, messageOf } from "@alignscope/base/errors";

/** The shape of a GPT-2. */
export interface GPT2Config {
  nLayer: number;
  nHead: number;
  /** Context length in tokens. */
  nPositions: number;
  vocabSize: number;
  /** Width of the residual stream. */
  dModel: number;
  /** Width of one attention head. */
  dHead: number;
  /** Number of key (and of value) vectors per MLP. */
  dMlp: number;
  layerNormEpsilon: number;
  bosTokenId: number;
  eosTokenId: number;
}

/** Reads `config.json` of a folder in Hugging Face's layout. */
export function readConfig(folder: string): GPT2Config {
  const path = join(folder, "config.json");
  if (!existsSync(path)) {
    throw new UserError(
      `no model in ${folder}: config.json is missing (expected a folder in Hugging Face's layout)`,
    );
  }
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  } catch (error) {
    throw new UserError(`${path}: not JSON (${messageOf(error)}); fetch the model again`);
  }
  const positive = (...names: string[]): number => {
    const name = names.find((candidate) => typeof raw[candidate] === "number");
    const value = name ? (raw[name] as number) : Number.NaN;
    if (!Number.isInteger(value) || value <= 0) {
      throw new UserError(
        `${path}: ${names[0]} is ${JSON.stringify(raw[names[0] ?? ""])}, expected a positive integer`,
      );
    }
    return value;
  };
  const activation = raw["activation_function"] ?? "gelu_new";
  if (raw["model_type"] !== undefined && raw["model_type"] !== "gpt2") {
    throw new UserError(`${path}: model_type is ${JSON.stringify(raw["model_type"])}, expected "gpt2"`);
  }
  if (activation !== "gelu_new") {
    throw new UserError(`${path}: activation_function is ${JSON.stringify(activation)}, expected "gelu_new"`);
  }
  const dModel = positive("n_embd");
  const nHead = positive("n_head");
  if (dModel % nHead !== 0)
    throw new UserError(`${path}: n_embd ${dModel} is not a multiple of n_head ${nHead}`);
  const vocabSize = positive("vocab_size");
  const eosTokenId = (raw["eos_token_id"] as number | undefined) ?? vocabSize - 1;
  return {
    nLayer: positive("n_layer"),
    nHead,
    nPositions: positive("n_positions", "n_ctx"),
    vocabSize,
    dModel,
    dHead: dModel / nHead,
    dMlp: typeof raw["n_inner"] === "number" ? raw["n_inner"] : 4 * dModel,
    layerNormEpsilon: (raw["layer_norm_epsilon"] as number | undefined) ?? 1e-5,
    bosTokenId: (raw["bos_token_id"] as number | undefined) ?? eosTokenId,
    eosTokenId,
  };
}

/** `config.json` as Hugging Face's transformers reads it. */
export function configJson(config: GPT2Config): Record<string, unknown> {
  return {
    model_type: "gpt2",
    architectures: ["GPT2LMHeadModel"],
    n_layer: config.nLayer,
    n_head: config.nHead,
    n_embd: config.dModel,
    n_inner: config.dMlp === 4 * config.dModel ? null : config.dMlp,
    n_positions: config.nPositions,
    n_ctx: config.nPositions,
    vocab_size: config.vocabSize,
    activation_function: "gelu_new",
    layer_norm_epsilon: config.layerNormEpsilon,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenId,
    tie_word_embeddings: true,
  };
}
