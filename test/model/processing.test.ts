import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GPT2, type GPT2Config } from "../../src/model/index.js";
import { configJson } from "../../src/model/config.js";
import { parameterShapes } from "../../src/model/parameters.js";
import { encodeSafetensors } from "../../src/tensors/safetensors.js";
import { onEachBackend } from "../backends.js";
import { forward, layOut, type Weights } from "../referee/index.js";
import { CASES, expectValues, logSoftmaxOf, modelOf, relativeError, valuesOf, type Case } from "./cases.js";
import { newFolder } from "./folders.js";

/** `[rows, columns]`, row by row. */
interface Matrix {
  rows: number;
  columns: number;
  values: Float64Array;
}

function map(
  { rows, columns, values }: Matrix,
  f: (x: number, row: number, column: number) => number,
): Matrix {
  return { rows, columns, values: values.map((x, i) => f(x, Math.floor(i / columns), i % columns)) };
}

/** Less the mean over the rows' entries (`axis` 1, torch's −1) or over the columns' (`axis` 0, torch's −2). */
function lessMean(matrix: Matrix, axis: 0 | 1): Matrix {
  const count = axis === 1 ? matrix.columns : matrix.rows;
  const means = new Float64Array(axis === 1 ? matrix.rows : matrix.columns);
  map(matrix, (x, row, column) => (means[axis === 1 ? row : column]! += x / count));
  return map(matrix, (x, row, column) => x - means[axis === 1 ? row : column]!);
}

/** A row vector times a matrix. */
function rowTimes(vector: Float64Array, matrix: Matrix): Float64Array {
  const result = new Float64Array(matrix.columns);
  map(matrix, (x, row, column) => (result[column]! += vector[row]! * x));
  return result;
}

/**
 * What TransformerLens 1.12 makes of GPT-2's weights, in Hugging Face's names: fold_layer_norm (which centres what reads
 * the residual stream), center_writing_weights, center_unembed, fold_value_biases, in this order.
 */
function foldedInFloat64(config: GPT2Config, weights: Weights): Weights {
  const { dModel, dMlp, vocabSize, nLayer } = config;
  const folded = new Map(weights);
  const matrix = (name: string, rows: number, columns: number): Matrix => ({
    rows,
    columns,
    values: folded.get(name)!,
  });
  const vector = (name: string): Float64Array => folded.get(name)!;
  const plus = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x + b[i]!);
  const turned = ({ rows, columns, values }: Matrix): Matrix => ({
    rows: columns,
    columns: rows,
    values: Float64Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!),
  });

  // fold_layer_norm
  const foldNorm = (
    norm: string,
    { weight, bias }: { weight: Matrix; bias: Float64Array },
  ): [Matrix, Float64Array] => {
    const [w, b] = [vector(`${norm}.weight`), vector(`${norm}.bias`)];
    const newBias = plus(bias, rowTimes(b, weight));
    const scaled = map(weight, (x, row) => x * w[row]!);
    folded
      .set(
        `${norm}.weight`,
        w.map(() => 1),
      )
      .set(
        `${norm}.bias`,
        b.map(() => 0),
      );
    return [lessMean(scaled, 0), newBias];
  };
  for (let layer = 0; layer < nLayer; layer += 1) {
    for (const [reader, norm, columns] of [
      ["attn.c_attn", "ln_1", 3 * dModel],
      ["mlp.c_fc", "ln_2", dMlp],
    ] as const) {
      const name = `h.${layer}.${reader}`;
      const weight = matrix(`${name}.weight`, dModel, columns);
      const [newWeight, newBias] = foldNorm(`h.${layer}.${norm}`, { weight, bias: vector(`${name}.bias`) });
      folded.set(`${name}.weight`, newWeight.values).set(`${name}.bias`, newBias);
    }
  }
  const head = weights.has("lm_head.weight") ? "lm_head.weight" : "wte.weight";
  let [unembedding, unembeddingBias] = foldNorm("ln_f", {
    weight: turned(matrix(head, vocabSize, dModel)),
    bias: weights.get("lm_head.bias") ?? new Float64Array(vocabSize),
  });

  // center_writing_weights
  const centre = (name: string, rows: number): void =>
    void folded.set(name, lessMean(matrix(name, rows, dModel), 1).values);
  centre("wte.weight", vocabSize);
  centre("wpe.weight", config.nPositions);
  for (let layer = 0; layer < nLayer; layer += 1) {
    centre(`h.${layer}.attn.c_proj.weight`, dModel);
    centre(`h.${layer}.attn.c_proj.bias`, 1);
    centre(`h.${layer}.mlp.c_proj.weight`, dMlp);
    centre(`h.${layer}.mlp.c_proj.bias`, 1);
  }

  // center_unembed
  unembedding = lessMean(unembedding, 1);
  unembeddingBias = lessMean({ rows: 1, columns: vocabSize, values: unembeddingBias }, 1).values;
  folded.set("lm_head.weight", turned(unembedding).values).set("lm_head.bias", unembeddingBias);

  // fold_value_biases
  for (let layer = 0; layer < nLayer; layer += 1) {
    const [inBias, output] = [`h.${layer}.attn.c_attn.bias`, `h.${layer}.attn.c_proj`];
    const values = vector(inBias).subarray(2 * dModel);
    folded.set(
      `${output}.bias`,
      plus(vector(`${output}.bias`), rowTimes(values, matrix(`${output}.weight`, dModel, dModel))),
    );
    folded.set(
      inBias,
      vector(inBias).map((x, i) => (i < 2 * dModel ? x : 0)),
    );
  }
  return folded;
}

function folderOf({ config, weights }: Case): string {
  const folder = newFolder();
  const shapes = parameterShapes(config);
  if (weights.has("lm_head.weight")) shapes.set("lm_head.weight", [config.vocabSize, config.dModel]);
  writeFileSync(join(folder, "config.json"), JSON.stringify(configJson(config)));
  const tensors = [...shapes].map(([name, shape]): [string, { shape: number[]; data: Float32Array }] => [
    name,
    { shape, data: Float32Array.from(weights.get(name)!) },
  ]);
  writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(tensors, "F32"));
  return folder;
}

onEachBackend(({ some }) => {
  describe.each(some(CASES))("$name", (own) => {
    const { config, weights, sequences } = own;
    const expected = foldedInFloat64(config, weights);
    let model: GPT2;
    let folded: GPT2;
    beforeAll(() => {
      model = modelOf(own);
      folded = model.processed("folded");
    });
    afterAll(() => {
      folded.dispose();
      model.dispose();
    });
    const expectFolded = async (measured: GPT2): Promise<void> => {
      expect([...measured.parameterNames].sort()).toEqual([...expected.keys()].sort());
      for (const name of measured.parameterNames) {
        const error = relativeError(await measured.weight(name).data(), expected.get(name)!);
        // A value that is zero in float64 is within rounding of it.
        expect(error * Math.max(1e-6, ...expected.get(name)!.map(Math.abs)), name).toBeLessThan(5e-6);
      }
    };

    test("every folded parameter is what TransformerLens' definition gives in float64", async () => {
      await expectFolded(folded);
    });

    test("log-probabilities are those of the weights as they are, at every token that is no pad", async () => {
      const { logProbs, batch } = forward(weights, config, layOut(sequences, config));
      const logits = await valuesOf(folded.forward(sequences, { padding: "masked" }));
      const real = (_: number, i: number): boolean => batch.places[Math.floor(i / config.vocabSize)] !== null;
      const measured = logSoftmaxOf(logits, config.vocabSize).filter(real);
      expect(relativeError(measured, logProbs.values.filter(real))).toBeLessThan(1e-5);
    });

    test("the original is as it was, and folding twice is folding once", async () => {
      const name = "h.0.mlp.c_proj.weight";
      expect(Float64Array.from(await model.weight(name).data())).toEqual(weights.get(name));
      const twice = folded.processed("folded");
      await expectFolded(twice);
      twice.dispose();
    });

    test("a folder that is loaded folded, and saved and loaded again, holds the same", async () => {
      const before = tf.memory().numTensors;
      const loaded = await GPT2.load(folderOf(own), { processing: "folded" });
      expect(tf.memory().numTensors - before).toBe(expected.size);
      await expectFolded(loaded);
      const folder = newFolder();
      await loaded.save(folder);
      loaded.dispose();
      const again = await GPT2.load(folder);
      await expectFolded(again);
      again.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    test("value vectors lie in c_proj.weight, each with mean zero; the unembedding's columns and rows too", async () => {
      const means = async (x: tf.Tensor, axis: number): Promise<number> => {
        const largest = tf.tidy(() => tf.max(tf.abs(tf.mean(x, axis))));
        const [value] = await largest.data();
        largest.dispose();
        return value!;
      };
      expect(await means(folded.weight("h.0.mlp.c_proj.weight"), 1)).toBeLessThan(1e-6);
      expect(await means(folded.unembedding, 0)).toBeLessThan(1e-6);
      expect(await means(folded.unembedding, 1)).toBeLessThan(1e-6);
    });

    test('"none" is a copy of its own', async () => {
      const copy = model.processed("none");
      await expectValues(tf.clone(copy.weight("wte.weight")), weights.get("wte.weight")!, 1e-9);
      copy.dispose();
      await expectValues(tf.clone(model.weight("wte.weight")), weights.get("wte.weight")!, 1e-9);
    });
  });
});
