import { arch, cpus, platform, totalmem } from "node:os";
import * as tf from "@tensorflow/tfjs-core";
import { mulberry32 } from "../data/random";
import { GPT2, lossGradients, type GPT2Config } from "../model";
import type { BackendDescription } from "../tensors";

/** The shapes that can be timed, with random weights: speed does not depend on their values. */
export const SHAPES = {
  lab: { nLayer: 6, nHead: 6, nPositions: 128, vocabSize: 4096, dModel: 192 },
  gpt2: { nLayer: 12, nHead: 12, nPositions: 1024, vocabSize: 50257, dModel: 768 },
  "gpt2-medium": { nLayer: 24, nHead: 16, nPositions: 1024, vocabSize: 50257, dModel: 1024 },
} as const;
export type ShapeName = keyof typeof SHAPES;

export interface BenchResult {
  name: "forward" | "forward+backward";
  shape: string;
  batch: number;
  positions: number;
  /** Median over the repetitions. */
  secondsPerPass: number;
  tokensPerSecond: number;
}

export interface BenchReport {
  machine: { cpu: string; cores: number; memoryGiB: number; platform: string; node: string };
  backend: BackendDescription;
  results: BenchResult[];
}

export interface BenchOptions {
  shape: ShapeName;
  batch: number;
  positions: number;
  repetitions: number;
  backward: boolean;
  onResult?: (result: BenchResult) => void;
}

/** Times passes over random tokens, after one pass that is not counted. */
export async function benchModel(backend: BackendDescription, options: BenchOptions): Promise<BenchReport> {
  const model = GPT2.random(configOf(options.shape));
  const random = mulberry32(1);
  const ids = Array.from({ length: options.batch }, () =>
    Array.from({ length: options.positions }, () => Math.floor(random() * model.config.vocabSize)),
  );
  const passes: [BenchResult["name"], () => Promise<void>][] = [
    [
      "forward",
      async () => {
        const logits = model.forward(ids);
        await tf.tidy(() => tf.slice(logits, [0, 0, 0], [1, 1, 1])).data();
        logits.dispose();
      },
    ],
  ];
  if (options.backward) {
    passes.push([
      "forward+backward",
      async () => tf.dispose([...(await lossGradients(model, ids)).gradients.values()]),
    ]);
  }
  const results: BenchResult[] = [];
  for (const [name, pass] of passes) {
    await pass();
    const seconds: number[] = [];
    for (let i = 0; i < options.repetitions; i++) {
      const started = performance.now();
      await pass();
      seconds.push((performance.now() - started) / 1000);
    }
    const secondsPerPass = median(seconds);
    const { shape, batch, positions } = options;
    const result = {
      name,
      shape,
      batch,
      positions,
      secondsPerPass,
      tokensPerSecond: (batch * positions) / secondsPerPass,
    };
    results.push(result);
    options.onResult?.(result);
  }
  model.dispose();
  return { machine: machine(), backend, results };
}

function configOf(name: ShapeName): GPT2Config {
  const shape = SHAPES[name];
  const eos = shape.vocabSize - 1;
  return {
    ...shape,
    dHead: shape.dModel / shape.nHead,
    dMlp: 4 * shape.dModel,
    layerNormEpsilon: 1e-5,
    bosTokenId: eos,
    eosTokenId: eos,
  };
}

function machine(): BenchReport["machine"] {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${platform()} ${arch()}`,
    node: process.version,
  };
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
