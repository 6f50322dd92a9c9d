import { UserError } from "@alignscope/base/errors";
import type { GPT2Config } from "../model/config.js";
import type { Schedule } from "./schedule.js";

/* What is chosen about a lab model and its training. */

/** What is chosen about the shape of a lab model; the MLP is four times as wide as the residual stream. */
export interface LabShape {
  nLayer: number;
  nHead: number;
  dModel: number;
}

/** Twelve blocks, so that there is a below and an above, in 6.1M parameters: what two cores can train in a day. */
export const LAB_SHAPE: LabShape = { nLayer: 12, nHead: 6, dModel: 192 };

/** A GPT-2 of a shape, for a vocabulary whose last token ends texts. */
export function labConfig(vocabSize: number, { nLayer, nHead, dModel }: LabShape = LAB_SHAPE): GPT2Config {
  if (dModel % nHead !== 0) {
    throw new UserError(`width ${dModel}: expected a multiple of the ${nHead} heads`);
  }
  return {
    nLayer,
    nHead,
    nPositions: 128,
    vocabSize,
    dModel,
    dHead: dModel / nHead,
    dMlp: 4 * dModel,
    layerNormEpsilon: 1e-5,
    bosTokenId: vocabSize - 1,
    eosTokenId: vocabSize - 1,
  };
}

/** What decides, with the corpus, how a run goes. */
export interface PretrainSettings extends Schedule {
  workers: number;
  /** Sequences of the context's length per worker and step. */
  sequences: number;
  seed: number;
  /** The matrices of the blocks by Muon or, like everything else, by AdamW. */
  optimiser: "muon" | "adamw";
  /** Peak rate of AdamW. */
  learningRate: number;
  /** Peak rate of Muon. */
  matrixRate: number;
  weightDecay: number;
  /** Nats that a unit of a neuron's activity adds to a token's loss. */
  activityPenalty: number;
  /** Of matrix products; parameters, moments and sums are in float32 either way. */
  precision: "float32" | "bfloat16";
}

/** Two workers for two cores, batches of 8,192 tokens; Muon at the rate of its author's GPT-2 runs (Jordan 2024). */
export const PRETRAIN_DEFAULTS: PretrainSettings = {
  workers: 2,
  sequences: 32,
  seed: 0,
  optimiser: "muon",
  learningRate: 4e-3,
  matrixRate: 0.02,
  weightDecay: 0.01,
  activityPenalty: 2e-4,
  warmupSteps: 100,
  precision: "float32",
};
