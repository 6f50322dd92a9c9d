import { UserError } from "@alignscope/base/errors";
import { GPT2 } from "../../model/index.js";
import type { BackendDescription } from "@alignscope/tensors";
import { benchDpoStep } from "./dpo-step.js";
import { benchGenerate, benchModel } from "./model.js";
import { benchCeiling, benchOps } from "./ops.js";
import { benchPplm } from "./pplm.js";
import { machine, type BenchReport, type BenchResult } from "./result.js";
import { SHAPES, configOf, type ShapeName } from "./shapes.js";

export type { BenchReport, BenchResult } from "./result.js";
export { SHAPES, type ShapeName } from "./shapes.js";

/** What can be timed, in the order in which it is. */
export const WORKS = ["model", "ops", "generate", "pplm", "dpo-step"] as const;
export type WorkName = (typeof WORKS)[number];

export interface BenchOptions {
  works: readonly WorkName[];
  shape: ShapeName;
  repetitions: number;
  /** Sequences of `model` and `ops` (4 unless given), of `generate` and `pplm` (16 unless given). */
  batch?: number;
  /** Tokens per sequence of `model` and `ops`. */
  positions: number;
  /** Whether `model` also times forward and backward. */
  backward: boolean;
  /** Of `generate`: tokens per prompt (of `pplm`: of a text), and how many are written after it. */
  prompt: number;
  newTokens: number;
  /** Of `dpo-step`: pairs of sequences, and tokens per sequence, at most the shape's context. */
  pairs: number;
  length: number;
  onResult?: (result: BenchResult) => void;
}

/** Times what is asked for on the backend that is open, after its large matrix product, which the rest is compared with. */
export async function bench(backend: BackendDescription, options: BenchOptions): Promise<BenchReport> {
  const { works, shape, repetitions, batch, positions, pairs } = options;
  const context = SHAPES[shape].nPositions;
  const length = Math.min(options.length, context);
  fits("positions", positions, context, shape);
  fits("tokens of prompt and continuation", options.prompt + options.newTokens, context, shape);
  const results: BenchResult[] = [];
  const onResult = (result: BenchResult): void => {
    results.push(result);
    options.onResult?.(result);
  };
  const ceilingGflops = await benchCeiling(repetitions, onResult);
  const setting = { shape, repetitions, ceilingGflops };
  const pass = { ...setting, batch: batch ?? 4, positions };
  const model = works.some((work) => work !== "ops") ? GPT2.random(configOf(shape)) : undefined;
  try {
    if (works.includes("ops")) await benchOps(pass, onResult);
    if (model && works.includes("model")) {
      await benchModel(model, { ...pass, backward: options.backward }, onResult);
    }
    if (model && works.includes("generate")) {
      await benchGenerate(model, { ...setting, ...options, batch: batch ?? 16 }, onResult);
    }
    if (model && works.includes("pplm")) {
      await benchPplm(model, { ...setting, batch: batch ?? 16, prompt: options.prompt }, onResult);
    }
    if (model && works.includes("dpo-step")) {
      await benchDpoStep(model, { ...setting, pairs, length }, onResult);
    }
  } finally {
    model?.dispose();
  }
  return { machine: machine(), backend, results };
}

function fits(what: string, wanted: number, context: number, shape: string): void {
  if (wanted > context) throw new UserError(`${wanted} ${what}: the context of ${shape} holds ${context}`);
}
