import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { peakTensorBytes } from "../../src/cli/bench/peak-memory.js";
import { GPT2, lossGradients, type GPT2Config } from "../../src/model/index.js";
import { checkMemory, passBytes } from "../../src/model/pass-memory.js";
import { listTensors } from "../../src/tensors/safetensors.js";
import { openBackend } from "../../src/tensors/index.js";
import { findBlas } from "../../src/tensors/wasm/blas/index.js";
import { TINY } from "./folders.js";

const config = (shape: Pick<GPT2Config, "nLayer" | "nHead" | "vocabSize" | "dModel">): GPT2Config => ({
  ...shape,
  nPositions: 1024,
  dHead: shape.dModel / shape.nHead,
  dMlp: 4 * shape.dModel,
  layerNormEpsilon: 1e-5,
  bosTokenId: 0,
  eosTokenId: 0,
});

/** Deep and narrow, with long texts; and shallow with many tokens. */
const CASES = {
  "activations weigh most": {
    of: config({ nLayer: 6, nHead: 4, vocabSize: 128, dModel: 64 }),
    batch: 4,
    positions: 150,
  },
  "logits weigh most": {
    of: config({ nLayer: 2, nHead: 2, vocabSize: 9000, dModel: 32 }),
    batch: 4,
    positions: 32,
  },
};

beforeAll(async () => {
  await openBackend("wasm");
});

async function bytesOf(work: () => Promise<void>): Promise<number> {
  await work();
  const before = tf.memory().numBytes;
  return (await peakTensorBytes(work)) - before;
}

describe.skipIf(!findBlas().blas)("the estimate of a pass' memory (needs OpenBLAS)", () => {
  describe.each(Object.entries(CASES))("where %s", (_, { of, batch, positions }) => {
    let model: GPT2;
    const ids = Array.from({ length: batch }, () =>
      Array.from({ length: positions }, (__, i) => i % of.vocabSize),
    );
    beforeAll(() => {
      model = GPT2.random(of, 1);
    });
    afterAll(() => {
      model.dispose();
    });

    test("holds for a forward pass, and is not twice what it takes", async () => {
      const measured = await bytesOf(async () => {
        model.forward(ids).dispose();
        await Promise.resolve();
      });
      const estimate = passBytes(of, { batch, positions });
      expect(measured).toBeLessThanOrEqual(estimate);
      expect(measured).toBeGreaterThan(estimate / 2);
    });

    test("holds for a pass with its gradient, and is not twice what it takes", async () => {
      const measured = await bytesOf(async () =>
        tf.dispose([...(await lossGradients(model, ids)).gradients.values()]),
      );
      const estimate = passBytes(of, { batch, positions, gradient: "parameters" });
      expect(measured).toBeLessThanOrEqual(estimate);
      expect(measured).toBeGreaterThan(estimate / 2);
    });
  });
});

describe("a pass that would not fit the wasm heap", () => {
  const gpt2 = config({ nLayer: 12, nHead: 12, vocabSize: 50257, dModel: 768 });

  test("is refused before it begins, and the batch that the error names is the largest that passes", () => {
    const attempt = (batch: number): void => {
      checkMemory(gpt2, { batch, positions: 1024, gradient: "parameters" });
    };
    let message = "";
    try {
      attempt(64);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(
      /^out of memory: 64 sequences of 1024 tokens need about [\d.]+ GiB with their gradient, /,
    );
    const fitting = Number(/a batch of (\d+) would fit$/.exec(message)?.[1]);
    expect(() => {
      attempt(fitting);
    }).not.toThrow();
    expect(() => {
      attempt(fitting + 1);
    }).toThrow(/out of memory/);
  });

  test("says so where not even one sequence fits", () => {
    const huge = { ...gpt2, nLayer: 400 };
    expect(() => {
      checkMemory(huge, { batch: 2, positions: 1024, gradient: "activations" });
    }).toThrow(/not even one sequence would fit/);
  });

  test("leaves the model as it was", async () => {
    const model = GPT2.random(config({ nLayer: 1, nHead: 1, vocabSize: 50257, dModel: 4 }), 1);
    const row = Array<number>(1024).fill(1);
    expect(() => model.forward(Array<number[]>(64).fill(row))).toThrow(/a batch of \d+ would fit/);
    const logits = model.forward([[1, 2]]);
    expect((await logits.data()).every(Number.isFinite)).toBe(true);
    logits.dispose();
    model.dispose();
  });
});

test("weights are the file's bytes, read straight into the heap", async () => {
  const model = await GPT2.load(TINY);
  const file = readFileSync(join(TINY, "model.safetensors"));
  for (const [name, { offset, bytes }] of listTensors(TINY)) {
    const values = await model.weight(name).data();
    const own = Buffer.from(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
    expect(own.equals(file.subarray(offset, offset + bytes))).toBe(true);
  }
  model.dispose();
});
