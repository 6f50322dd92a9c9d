import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { memorySize } from "@alignscope/base/size";
import { freeMemory } from "@alignscope/tensors/tensor-memory";
import type { GPT2Config } from "./config.js";
import { parameterShapes } from "./parameters.js";

/** A pass whose memory is estimated. */
export interface PassSize {
  batch: number;
  /** Positions that the pass computes. */
  positions: number;
  /** Positions that it attends to; those it computes unless said otherwise. */
  keys?: number;
  /** Whether a gradient is taken: by all parameters, or by activations only. */
  gradient?: "parameters" | "activations";
  /** Positions per row whose logits are there at once; all unless said otherwise. */
  logitPositions?: number;
}

/**
 * Bytes that a pass takes beside the weights, in float32: what is there at its fullest moment with fused kernels, at most.
 *
 * Without a gradient that is one block's activations or the logits, whichever is more. With one, each block keeps its
 * inputs, keys, queries, values, attention pattern and hidden layer; the gradients of the parameters come on top, that of
 * a tied embedding twice.
 *
 * @example
 * passBytes(model.config, { batch: 4, positions: 128, gradient: "parameters" }) / 2 ** 30; // GiB
 */
export function passBytes(config: GPT2Config, pass: PassSize): number {
  const { nLayer, nHead, dModel, dMlp, vocabSize } = config;
  const { batch, positions, keys = positions, logitPositions = positions } = pass;
  const rows = batch * positions;
  const pattern = batch * nHead * positions * keys;
  const logits = batch * logitPositions * vocabSize;
  if (!pass.gradient) {
    const block = rows * (11 * dModel + 3 * dMlp) + positions * keys;
    return 4 * Math.max(block, logits + 5 * rows * dModel);
  }
  const kept = nLayer * (rows * (9 * dModel + 2 * dMlp) + pattern) + logits + 2 * rows * dModel;
  const passing = rows * (4 * dModel + 2 * dMlp);
  return 4 * (kept + passing) + (pass.gradient === "parameters" ? gradientBytes(config) : 0);
}

function gradientBytes(config: GPT2Config): number {
  const sizes = [...parameterShapes(config).values()].map(tf.util.sizeFromShape);
  const parameters = sizes.reduce((sum, size) => sum + size, 0);
  return 4 * (parameters + config.vocabSize * config.dModel);
}

/** Of free memory, what fragmentation leaves usable. */
const USABLE = 0.95;

/**
 * Refuses a pass that the backend has no room for before it begins, and says which batch would fit. Where a backend's
 * room is unknown everything passes, and its own error tells.
 */
export function checkMemory(config: GPT2Config, pass: PassSize): void {
  const memory = freeMemory();
  if (!memory) return;
  const needed = passBytes(config, pass);
  const usable = USABLE * memory.free;
  if (needed <= usable) return;
  const fits = (batch: number): boolean => passBytes(config, { ...pass, batch }) <= usable;
  let batch = pass.batch;
  while (batch > 0 && !fits(batch)) batch = batch > 64 ? Math.floor(batch * 0.9) : batch - 1;
  const remedy =
    batch > 0
      ? `a batch of ${batch} would fit`
      : "not even one sequence would fit: shorten it, or use another backend";
  throw new UserError(
    `out of memory: ${pass.batch} sequences of ${pass.positions} tokens need about ${memorySize(needed)}${pass.gradient ? " with their gradient" : ""}, ` +
      `${memorySize(Math.max(0, memory.free))} of ${memorySize(memory.ceiling)} are free: ${remedy}`,
  );
}
