import { arch, cpus, platform, totalmem } from "node:os";
import type { BackendDescription } from "@alignscope/tensors";
import type { Timing } from "./timing.js";

/** One line of a report. pytorch_peer.py writes the same names and keys. */
export interface BenchResult extends Timing {
  /** What was timed: `forward`, `generate`, `matmul transposed-a`, … */
  name: string;
  /** The model's shape: lab, gpt2 or gpt2-medium; for the ceiling, the product's sizes. */
  shape: string;
  batch: number;
  /** Tokens per sequence: for `generate` prompt and continuation together. */
  positions: number;
  /** Tokens read or, for `generate`, written per second; null where there are none. */
  tokensPerSecond: number | null;
  /** 10⁹ operations of matrix products per second; null where there are none to speak of. */
  gflops: number | null;
  /** `gflops` as a part of this backend's own large matrix product, measured in the same run. */
  ofCeiling: number | null;
  /** How many times as long the plain composition of tfjs' operations takes; only where the library has its own. */
  plainOverOwn?: number;
}

export interface BenchReport {
  machine: { cpu: string; cores: number; memoryGiB: number; platform: string; runtime: string };
  backend: BackendDescription;
  results: BenchResult[];
}

/** What was timed, and how much work a pass is. */
export interface Work {
  name: string;
  shape: string;
  batch: number;
  positions: number;
  tokens: number | null;
  flops: number | null;
  /** What `ofCeiling` is a part of; null where it was not measured. */
  ceilingGflops: number | null;
}

/** A timing as a line of the report. */
export function resultOf(work: Work, timing: Timing): BenchResult {
  const { name, shape, batch, positions, tokens, flops, ceilingGflops } = work;
  const gflops = flops === null ? null : flops / timing.secondsPerPass / 1e9;
  return {
    name,
    shape,
    batch,
    positions,
    ...timing,
    tokensPerSecond: tokens === null ? null : tokens / timing.secondsPerPass,
    gflops,
    ofCeiling: gflops === null || ceilingGflops === null ? null : gflops / ceilingGflops,
  };
}

/** The machine that this runs on, in words and numbers. */
export function machine(): BenchReport["machine"] {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${platform()} ${arch()}`,
    runtime: `node ${process.version}`,
  };
}
