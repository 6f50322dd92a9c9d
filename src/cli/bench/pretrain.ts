import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "@alignscope/base/files";
import { mulberry32 } from "@alignscope/base/random";
import { pretrain } from "../../lab/pretrain.js";
import { PRETRAIN_DEFAULTS, type PretrainSettings } from "../../lab/pretrain-settings.js";
import { trainingFlops } from "./flops.js";
import { processPeak } from "./peak-memory.js";
import { resultOf, type BenchResult } from "./result.js";
import { configOf, type ShapeName } from "./shapes.js";
import { median } from "@alignscope/tensors/vectors";

export interface PretrainBenchOptions extends Partial<
  Pick<PretrainSettings, "workers" | "sequences" | "optimiser" | "precision">
> {
  shape: ShapeName;
  repetitions: number;
}

/** A whole training step of the small model, as `lab build` makes it: gradients of a batch, added up, and the optimiser. */
export async function benchPretrain(options: PretrainBenchOptions): Promise<BenchResult> {
  const { shape, repetitions, ...settings } = options;
  const { workers, sequences, optimiser, precision } = { ...PRETRAIN_DEFAULTS, ...settings };
  const config = configOf(shape);
  const folder = mkdtempSync(join(tmpdir(), "alignscope-bench-"));
  const memory = processPeak();
  try {
    const random = mulberry32(5);
    const tokens = Uint16Array.from({ length: 1 << 18 }, () => random() * config.vocabSize);
    for (const name of ["train.bin", "valid.bin"]) {
      writeFileAtomic(join(folder, name), name === "train.bin" ? tokens : tokens.subarray(0, 1 << 10));
    }
    const batch = workers * sequences;
    const seconds: number[] = [];
    await pretrain({
      ...settings,
      corpus: folder,
      folder: join(folder, "run"),
      config,
      steps: repetitions + 1,
      reportEvery: 1,
      checkpointEvery: Infinity,
      onProgress: ({ tokensPerSecond }) => seconds.push((batch * config.nPositions) / tokensPerSecond),
    });
    const counted = seconds.slice(1).sort((a, b) => a - b);
    const work = {
      name: `pretrain ${optimiser} ${precision}`,
      shape,
      batch,
      positions: config.nPositions,
      tokens: batch * config.nPositions,
      flops: trainingFlops(config, { batch, positions: config.nPositions }),
      ceilingGflops: null,
    };
    return resultOf(work, {
      secondsPerPass: median(counted),
      secondsMin: counted[0] ?? Number.NaN,
      secondsMax: counted.at(-1) ?? Number.NaN,
      repetitions,
      peakMemoryBytes: memory(),
      peakTensorBytes: 0,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
