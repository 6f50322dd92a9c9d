import { Argument, type Command } from "commander";
import { readFileSync } from "node:fs";
import type { BenchReport, BenchResult, ShapeName, WorkName } from "../bench/index.js";
import type { PretrainBenchOptions } from "../bench/pretrain.js";
import { UserError, messageOf } from "@alignscope/base/errors";
import { columns } from "@alignscope/base/columns";
import { positiveInteger } from "../project-options.js";
import { size } from "@alignscope/base/size";

interface Options {
  backend: string;
  shape: string;
  batch?: number;
  positions: number;
  repetitions: number;
  backward: boolean;
  prompt: number;
  newTokens: number;
  pairs: number;
  length: number;
  json?: boolean;
}

/** `alignscope bench`: how fast this machine's backends are, as a whole and operation by operation. */
export function benchCommand(program: Command): void {
  const command = program
    .command("bench")
    .description("measure the speed of this machine's backends")
    .addArgument(new Argument("[work...]", "model, ops, generate, pplm, dpo-step; all of them unless named"))
    .option("--backend <name>", "auto, cuda, native, webgpu, wasm or cpu", "auto")
    .option("--shape <name>", "lab, gpt2 or gpt2-medium, with random weights", "gpt2")
    .option("--batch <n>", "sequences (default: 4; of generate and pplm 16)", positiveInteger)
    .option("--positions <n>", "tokens per sequence of model and ops", positiveInteger, 32)
    .option("--repetitions <n>", "passes counted, after one that is not", positiveInteger, 5)
    .option("--no-backward", "without the gradient of the loss by every parameter")
    .option("--backward", "with it (the default)")
    .option("--prompt <n>", "tokens per prompt of generate, per text of pplm", positiveInteger, 32)
    .option("--new-tokens <n>", "tokens that generate writes", positiveInteger, 20)
    .option("--pairs <n>", "preference pairs of dpo-step", positiveInteger, 4)
    .option("--length <n>", "tokens per sequence of dpo-step, at most the context", positiveInteger, 128)
    .option("--json", "for machines: one document with every figure")
    .action(run);
  command
    .command("compare")
    .description(
      "two reports of --json beside each other, by name (the other may be src/cli/bench/pytorch_peer.py's)",
    )
    .argument("<report>")
    .argument("<other>")
    .action((report: string, other: string) => {
      console.log(columns(comparison(readReport(report), readReport(other))));
    });
  command
    .command("pretrain")
    .description("a training step of the small model (the peer: bench/pytorch_peer.py --only pretrain)")
    .option("--shape <name>", "lab, or lab12 with twice the blocks", "lab12")
    .option("--optimiser <name>", "muon or adamw", "adamw")
    .option("--precision <type>", "of matrix products: float32 or bfloat16", "float32")
    .option("--sequences <n>", "per thread and step", positiveInteger, 32)
    .option("--workers <n>", "threads", positiveInteger, 2)
    .option("--repetitions <n>", "steps counted, after one that is not", positiveInteger, 5)
    .option("--json", "for machines: every figure")
    .action(runPretrain);
  command
    .command("kernels")
    .description("start, cells, output and memory of Jupyter kernels beside each other")
    .argument("[kernel...]", "alignscope, tslab (as it comes), python3, or any that is installed", [
      "alignscope",
      "tslab",
    ])
    .option("--runs <n>", "starts of each, in turns", positiveInteger, 3)
    .option("--json", "for machines: one document with every figure")
    .action(runKernels);
  command
    .command("runner")
    .description(
      "what running a notebook costs beside its cells, next to papermill and nbclient where Python has them",
    )
    .argument("[kernel...]", "alignscope, python3, or any that is installed", ["alignscope", "python3"])
    .option("--cells <n>", "cells of the large notebook", positiveInteger, 200)
    .option("--runs <n>", "runs of each, in turns", positiveInteger, 3)
    .option("--json", "for machines: one document with every figure")
    .action(runRunner);
}

async function runRunner(
  kernels: string[],
  { cells: count, runs, json }: { cells: number; runs: number; json?: boolean },
): Promise<void> {
  const { benchRunner } = await import("../bench/runner.js");
  const figures = [];
  for (const kernel of kernels) {
    const absent = (peer: string, why: string): void => console.error(`${kernel}: without ${peer}: ${why}`);
    figures.push(...(await benchRunner(kernel, count, runs, absent)));
  }
  if (json) {
    console.log(JSON.stringify(figures, null, 2));
    return;
  }
  const rows = figures.map((one) => [
    one.runner,
    one.kernel,
    duration(one.oneCell),
    duration(one.manyCells),
    duration(one.perCell),
  ]);
  console.log(columns([["runner", "kernel", "1 cell", `${count} cells`, "per cell"], ...rows]));
}

async function run(named: string[], options: Options): Promise<void> {
  const { describeBackend, openBackend } = await import("@alignscope/tensors");
  const { SHAPES, WORKS, bench } = await import("../bench/index.js");
  const stranger = named.find((name) => !(WORKS as readonly string[]).includes(name));
  if (stranger) throw new UserError(`unknown work: ${stranger} (expected some of ${WORKS.join(", ")})`);
  if (!(options.shape in SHAPES)) {
    throw new UserError(`unknown shape: ${options.shape} (expected ${Object.keys(SHAPES).join(", ")})`);
  }
  const backend = await openBackend(options.backend);
  console.error(describeBackend(backend));
  const report = await bench(backend, {
    ...options,
    works: named.length > 0 ? (named as WorkName[]) : WORKS,
    shape: options.shape as ShapeName,
    onResult: (result) => console.error(`${result.name}: ${duration(result.secondsPerPass)}`),
  });
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else console.log(columns([HEADINGS, ...report.results.map(cells)]));
}

async function runPretrain({ json, ...options }: PretrainBenchOptions & { json?: boolean }): Promise<void> {
  const { benchPretrain } = await import("../bench/pretrain.js");
  const result = await benchPretrain(options);
  if (json) console.log(JSON.stringify(result, null, 2));
  else console.log(columns([HEADINGS, cells(result)]));
}

async function runKernels(names: string[], { runs, json }: { runs: number; json?: boolean }): Promise<void> {
  const { benchKernels } = await import("../bench/kernels.js");
  const figures = await benchKernels(names, runs, ({ kernel, firstCell }) =>
    console.error(`${kernel}: first cell after ${duration(firstCell)}`),
  );
  if (json) {
    console.log(JSON.stringify(figures, null, 2));
    return;
  }
  const rows = figures.map((one) => [
    one.kernel,
    duration(one.ready),
    duration(one.firstCell),
    duration(one.emptyCell),
    duration(one.smallCell),
    one.libraryImport === null ? "" : duration(one.libraryImport),
    `${duration(one.manyLines)}, ${one.linesArrived} arrived`,
    size(one.idleBytes),
    duration(one.firstCompletion),
    duration(one.laterCell),
    size(one.laterBytes),
  ]);
  console.log(columns([KERNEL_HEADINGS, ...rows]));
}

const KERNEL_HEADINGS = [
  "kernel",
  "ready",
  "first cell",
  "empty cell",
  "small cell",
  "library import",
  "100,000 lines",
  "idle",
  "first completion",
  "200th cell",
  "after 500",
];

const HEADINGS = ["work", "shape", "median", "min to max", "speed", "GFLOP/s", "of ceiling", "plain/own"];

function cells(result: BenchResult): string[] {
  const { secondsMin, secondsMax, tokensPerSecond, gflops, ofCeiling, plainOverOwn } = result;
  return [
    result.name,
    result.name === "matmul ceiling" ? result.shape : `${result.shape} ${result.batch}×${result.positions}`,
    duration(result.secondsPerPass),
    `${duration(secondsMin)} to ${duration(secondsMax)}`,
    tokensPerSecond === null ? "" : `${tokensPerSecond.toPrecision(3)} tokens/s`,
    gflops === null ? "" : gflops.toPrecision(3),
    ofCeiling === null ? "" : `${(100 * ofCeiling).toFixed(0)}%`,
    plainOverOwn === undefined ? "" : `${plainOverOwn.toFixed(1)}×`,
  ];
}

function duration(seconds: number): string {
  if (seconds >= 1) return `${seconds.toPrecision(3)} s`;
  return seconds >= 1e-3 ? `${(1e3 * seconds).toPrecision(3)} ms` : `${(1e6 * seconds).toPrecision(3)} µs`;
}

function readReport(path: string): BenchReport {
  try {
    const report = JSON.parse(readFileSync(path, "utf8")) as Partial<BenchReport>;
    if (Array.isArray(report.results)) return report as BenchReport;
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${messageOf(error)}), expected what bench --json printed`);
  }
  throw new UserError(`${path}: no results, expected what bench --json printed`);
}

/** Rows of a table: how many times as fast the first report is, for each piece of work that both timed alike. */
export function comparison(report: BenchReport, other: BenchReport): string[][] {
  const key = ({ name, shape, batch, positions }: BenchResult): string =>
    name === "matmul ceiling" ? name : [name, shape, batch, positions].join(" ");
  const others = new Map(other.results.map((result) => [key(result), result]));
  const rows = report.results.flatMap((result) => {
    const peer = others.get(key(result));
    if (!peer) return [];
    const speed = (of: BenchResult): number => of.gflops ?? 1 / of.secondsPerPass;
    const ratio = `${(speed(result) / speed(peer)).toFixed(2)}×`;
    return [[result.name, duration(result.secondsPerPass), duration(peer.secondsPerPass), ratio]];
  });
  return [["work", report.backend.backend, other.backend.backend, "speed against it"], ...rows];
}
