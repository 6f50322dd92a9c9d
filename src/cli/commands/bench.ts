import { InvalidArgumentError, type Command } from "commander";
import { UserError } from "../../data/errors";
import { columns } from "../columns";

interface Options {
  backend: string;
  shape: string;
  batch: number;
  positions: number;
  repetitions: number;
  backward: boolean;
  json?: boolean;
}

/** `alignscope bench model`: how fast a forward (and backward) pass is here. */
export function benchCommand(program: Command): void {
  const bench = program.command("bench").description("measure the speed of this machine's backends");
  bench
    .command("model")
    .description("time passes of a GPT-2 with random weights")
    .option("--backend <name>", "auto, cuda, native, webgpu, wasm or cpu", "auto")
    .option("--shape <name>", "lab, gpt2 or gpt2-medium", "gpt2")
    .option("--batch <n>", "sequences", positiveInteger, 4)
    .option("--positions <n>", "tokens per sequence", positiveInteger, 32)
    .option("--repetitions <n>", "passes counted, after one that is not", positiveInteger, 5)
    .option("--backward", "also the gradient of the loss by every parameter", false)
    .option("--json", "for machines")
    .action(async (options: Options) => {
      const { describeBackend, openBackend } = await import("../../tensors/index.js");
      const { SHAPES, benchModel } = await import("../../bench/model.js");
      if (!(options.shape in SHAPES)) {
        throw new UserError(`unknown shape: ${options.shape} (expected ${Object.keys(SHAPES).join(", ")})`);
      }
      const shape = options.shape as keyof typeof SHAPES;
      if (options.positions > SHAPES[shape].nPositions) {
        throw new UserError(
          `${options.positions} positions: the context of ${shape} holds ${SHAPES[shape].nPositions}`,
        );
      }
      const backend = await openBackend(options.backend);
      if (!options.json) console.log(describeBackend(backend));
      const report = await benchModel(backend, { ...options, shape });
      if (options.json) {
        console.log(JSON.stringify(report, null, 2));
        return;
      }
      const rows = report.results.map((result) => [
        result.name,
        `${result.shape} ${result.batch}×${result.positions}`,
        `${(1000 * result.secondsPerPass).toFixed(0)} ms`,
        `${result.tokensPerSecond.toFixed(0)} tokens/s`,
      ]);
      console.log(columns([["pass", "shape", "median", "speed"], ...rows]));
    });
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError(`expected a positive integer, got ${text}`);
  return value;
}
