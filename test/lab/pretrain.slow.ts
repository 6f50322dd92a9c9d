import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
// The workers are threads of their own, which run the build.
import { grown } from "../../dist/src/lab/build.js";
import {
  annealing,
  pretrain,
  readCheckpoint,
  readSettings,
  stacked,
  type PretrainOptions,
  type PretrainProgress,
} from "../../dist/src/lab/pretrain.js";
import { projectRoot } from "../../src/base/paths.js";
import { GPT2 } from "../../dist/src/model/index.js";
import { openBackend } from "../../src/tensors/dist/index.js";
import { initialValues } from "../../src/model/parameters.js";
import { SMALL } from "../model/folders.js";

/** A corpus with a rule to learn: each token is followed by the next. */
function corpus(): string {
  const folder = mkdtempSync(join(tmpdir(), "alignscope-corpus-"));
  const tokens = Uint16Array.from(
    { length: 4000 },
    (_, i) => (i * 5 + Math.floor(i / 100)) % SMALL.vocabSize,
  );
  writeFileSync(join(folder, "train.bin"), Buffer.from(tokens.buffer));
  writeFileSync(join(folder, "valid.bin"), Buffer.from(tokens.slice(0, 200).buffer));
  return folder;
}

const settings = (folder: string): PretrainOptions => ({
  corpus: corpus(),
  folder,
  config: SMALL,
  steps: 30,
  sequences: 2,
  workers: 2,
  learningRate: 1e-2,
  warmupSteps: 5,
  reportEvery: 5,
  checkpointEvery: 10,
  seed: 3,
});

const newFolder = (): string => mkdtempSync(join(tmpdir(), "alignscope-pretrain-"));

describe("pretraining", () => {
  test("learns, and reports the loss on held-out text", async () => {
    const told: PretrainProgress[] = [];
    await pretrain({ ...settings(newFolder()), steps: 60, onProgress: (progress) => told.push(progress) });
    const held = told.flatMap(({ validationLoss }) => validationLoss ?? []);
    expect(held).toHaveLength(6);
    expect(held[5]).toBeLessThan(0.7 * (held[0] as number));
    expect(told[0]?.loss).toBeLessThan(1.2 * Math.log(SMALL.vocabSize));
  });

  test("the same seed gives the same weights", async () => {
    const [first, second] = [await pretrain(settings(newFolder())), await pretrain(settings(newFolder()))];
    expect(second).toEqual(first);
  });

  test("killed at any moment, it goes on from the last checkpoint and ends with the same weights, bit for bit", async () => {
    const whole = await pretrain(settings(newFolder()));
    const folder = newFolder();
    const options = settings(folder);
    const script = `require(${JSON.stringify(join(projectRoot(), "dist/src/lab/pretrain.js"))}).pretrain({
      ...${JSON.stringify(options)}, onProgress: ({ step }) => process.stdout.write(step + "\\n") })`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (data: Buffer) => {
        if (
          data
            .toString()
            .split("\n")
            .some((line) => Number(line) >= 15)
        )
          child.kill("SIGKILL");
      });
      child.on("close", () => resolve());
    });
    expect(child.signalCode).toBe("SIGKILL");
    expect(await pretrain(options)).toEqual(whole);
    const curve = readFileSync(join(folder, "loss.jsonl"), "utf8").trim().split("\n");
    expect(curve.map((line) => (JSON.parse(line) as { step: number }).step)).toEqual([5, 10, 15, 20, 25, 30]);
  });

  test("a checkpoint of another model is refused, and kept", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "checkpoint.bin"), "something else");
    await expect(pretrain(settings(folder))).rejects.toThrow(
      /14 bytes, expected \d+: a checkpoint of another model/,
    );
    expect(readFileSync(join(folder, "checkpoint.bin"), "utf8")).toBe("something else");
  });

  test("a run goes on with its own settings only", async () => {
    const folder = newFolder();
    await pretrain(settings(folder));
    await expect(pretrain({ ...settings(folder), steps: 40, matrixRate: 0.5 })).rejects.toThrow(
      /holds a run with matrixRate 0.02, now 0.5: go on with the same/,
    );
  });

  test("AdamW alone learns as well", async () => {
    const told: PretrainProgress[] = [];
    await pretrain({
      ...settings(newFolder()),
      optimiser: "adamw",
      onProgress: (progress) => told.push(progress),
    });
    expect(told.at(-1)?.loss).toBeLessThan(0.8 * (told[0]?.loss as number));
  });

  test("passes of 16 sequences add up: more sequences than one pass holds give their mean's step", async () => {
    const told: number[] = [];
    const options = { ...settings(newFolder()), sequences: 40, steps: 1, reportEvery: 1 };
    await pretrain({ ...options, workers: 1, onProgress: ({ loss }) => told.push(loss) });
    await pretrain({
      ...options,
      folder: newFolder(),
      sequences: 20,
      workers: 2,
      onProgress: ({ loss }) => told.push(loss),
    });
    expect(told[1]).toBeCloseTo(told[0] as number, 5);
  });

  test("a checkpoint is decayed aside, and the run it was taken from goes on as if nothing had been", async () => {
    const whole = await pretrain({ ...settings(newFolder()), steps: 40 });
    const folder = newFolder();
    const stable = settings(folder);
    await pretrain(stable);
    const aside = annealing(folder, 20);
    const before = readCheckpoint(folder);
    const told: PretrainProgress[] = [];
    const annealed = await pretrain({
      ...stable,
      ...aside.options,
      folder: aside.folder,
      onProgress: (progress) => told.push(progress),
    });
    expect(readCheckpoint(folder)).toEqual(before);
    expect(readSettings(aside.folder)).toMatchObject({ decayFrom: 30, decaySteps: 20 });
    expect(told.at(-1)?.step).toBe(50);
    expect(annealed).not.toEqual(before.values);
    expect(await pretrain({ ...stable, steps: 40 })).toEqual(whole);
  });

  test("blocks are stacked: each is there twice, side by side, and what it writes is halved", () => {
    const deeper = { ...SMALL, nLayer: 2 * SMALL.nLayer };
    const values = initialValues(SMALL, 1);
    const grown = stacked(values, SMALL, deeper);
    expect(grown.get("h.3.mlp.c_fc.weight")).toEqual(values.get("h.1.mlp.c_fc.weight"));
    const [before, after] = [values.get("h.1.mlp.c_proj.weight"), grown.get("h.2.mlp.c_proj.weight")];
    expect(after?.[5]).toBeCloseTo((before?.[5] as number) / 2, 7);
    expect([...grown.keys()]).toEqual([...initialValues(deeper, 1).keys()]);
    expect(() => stacked(values, SMALL, { ...deeper, dModel: 16 })).toThrow(/expected the same width/);
  });

  test("a run may begin with a saved model, as it is or stacked", async () => {
    const folder = newFolder();
    const values = initialValues(SMALL, 1);
    await openBackend("wasm");
    const model = GPT2.fromValues(SMALL, values);
    await model.save(folder);
    model.dispose();
    expect((await grown(folder, SMALL)).values).toEqual(values);
    const deeper = { ...SMALL, nLayer: 2 * SMALL.nLayer };
    expect((await grown(folder, deeper)).values).toEqual(stacked(values, SMALL, deeper));
  });

  test("what a model had read before it was grown counts as read, also after a pause", async () => {
    const [first, second] = [newFolder(), newFolder()];
    const told: number[] = [];
    const onProgress = ({ tokensSeen }: PretrainProgress): unknown => told.push(tokensSeen);
    await pretrain({ ...settings(first), onProgress });
    const deeper = { ...SMALL, nLayer: 2 * SMALL.nLayer };
    const initial = await grown(first, deeper);
    const seen = told.at(-1) as number;
    expect(initial).toMatchObject({ layers: SMALL.nLayer, tokensSeen: seen });
    const more = { ...settings(second), config: deeper, onProgress };
    await pretrain({ ...more, initial });
    await pretrain({ ...more, steps: 35 });
    expect(told.at(-1)).toBe(seen + (seen * 35) / 30);
    expect(readSettings(second).grownFrom).toEqual({ layers: SMALL.nLayer, tokensSeen: seen });
  });

  test("a missing corpus is named", async () => {
    const options = settings(newFolder());
    rmSync(join(options.corpus, "valid.bin"));
    await expect(pretrain(options)).rejects.toThrow(/no tokens at .*valid\.bin/);
  });
});
