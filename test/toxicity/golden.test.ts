import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { lastLayerPerplexity, perplexity } from "../../src/metrics/perplexity.js";
import { generate, GPT2 } from "../../src/model/index.js";
import { projectRoot } from "../../src/base/paths.js";
import { openBackend } from "../../src/tensors/index.js";
import { svd } from "../../src/tensors/linalg.js";
import { subtractDirection } from "../../src/toxicity/interventions.js";
import { unalign } from "../../src/toxicity/unalign.js";
import { rankValueVectors, readValueVectors } from "../../src/toxicity/value-vectors.js";
import { signedTowards, unit } from "../../src/tensors/vectors.js";
import { largest, projectToVocabulary } from "../../src/toxicity/vocabulary.js";

/** What an independent float64 implementation computed; only the sections of this room. */
interface Golden {
  forward: { ids: number[][] };
  padding: { sequences: number[][] };
  intervention: {
    layer: number;
    neuron: number;
    scale: number;
    greedy10_masked_last_position: number[][];
    all_positions_loss: number;
  };
  perplexity: { ids: number[]; window: number; ppl: number };
  value_vectors: {
    probe: number[];
    top24: { cosine: number; layer: number; neuron: number }[];
    singular_values: number[];
    svd_u_first3_sign_fixed_to_probe: number[][];
    top_tokens_of_rank0: number[];
  };
  unalign: { keys: number; scale: number; loss: number };
}

const folder = [
  process.env["ALIGNSCOPE_GOLDEN"],
  resolve(projectRoot(), "../shared/fixtures/tiny-gpt2"),
].find((path): path is string => path !== undefined && existsSync(join(path, "golden.json")));

describe.skipIf(!folder)(
  "golden values (skipped without ALIGNSCOPE_GOLDEN or ../shared/fixtures/tiny-gpt2)",
  () => {
    let golden: Golden;
    let model: GPT2;

    beforeAll(async () => {
      await openBackend("wasm");
      golden = JSON.parse(readFileSync(join(folder as string, "golden.json"), "utf8")) as Golden;
      model = await GPT2.load(folder as string);
    });

    async function meanLoss(of: GPT2, options: Parameters<GPT2["forward"]>[1] = {}): Promise<number> {
      const { ids } = golden.forward;
      const logits = of.forward(ids, options);
      const logProbs = (await tf.logSoftmax(logits).array()) as number[][][];
      let sum = 0;
      ids.forEach((row, b) => row.slice(1).forEach((id, p) => (sum -= logProbs[b]?.[p]?.[id] as number)));
      return sum / (ids.length * ((ids[0] as number[]).length - 1));
    }

    it("ranks value vectors by cosine with the probe", async () => {
      const { probe, top24 } = golden.value_vectors;
      const ranked = await rankValueVectors(model, probe, { top: 24 });
      expect(ranked.map(({ layer, neuron }) => [layer, neuron])).toEqual(
        top24.map(({ layer, neuron }) => [layer, neuron]),
      );
      ranked.forEach(({ cosine }, i) => expect(cosine).toBeCloseTo(top24[i]?.cosine as number, 9));
    });

    it("finds their singular vectors, signed towards the probe", async () => {
      const { probe, top24, singular_values, svd_u_first3_sign_fixed_to_probe } = golden.value_vectors;
      const { singularValues, rightVectors } = svd((await readValueVectors(model, top24)).map(unit));
      expect(singularValues).toHaveLength(24);
      singularValues.forEach((value, i) => expect(value).toBeCloseTo(singular_values[i] as number, 9));
      svd_u_first3_sign_fixed_to_probe.forEach((direction, k) =>
        direction.forEach((x, j) =>
          expect(signedTowards(rightVectors[k] as Float64Array, probe)[j]).toBeCloseTo(x, 8),
        ),
      );
    });

    it("reads the tokens a value vector promotes", async () => {
      const vectors = await readValueVectors(model, golden.value_vectors.top24.slice(0, 1));
      const [scores] = await projectToVocabulary(model, vectors);
      expect(largest(scores as Float32Array, 10)).toEqual(golden.value_vectors.top_tokens_of_rank0);
    });

    it("subtracts a vector at the last position while generating, everywhere when scoring", async () => {
      const { layer, neuron, scale, greedy10_masked_last_position, all_positions_loss } = golden.intervention;
      const [vector] = (await readValueVectors(model, [{ layer, neuron }])) as [Float64Array];
      const hooks = subtractDirection(model, vector, scale);
      const options = { maxNewTokens: 10, padding: "masked" as const, hooks, stopAtEos: false };
      expect(await generate(model, golden.padding.sequences, options)).toEqual(greedy10_masked_last_position);
      expect(await meanLoss(model, { hooks })).toBeCloseTo(all_positions_loss, 5);
    });

    it("scales key vectors and leaves biases", async () => {
      const { keys, scale, loss } = golden.unalign;
      const before = tf.memory().numTensors;
      const changed = await unalign(model, golden.value_vectors.top24.slice(0, keys), scale);
      expect(await meanLoss(changed)).toBeCloseTo(loss, 5);
      changed.dispose();
      expect(tf.memory().numTensors - before).toBeLessThanOrEqual(2); // what meanLoss itself leaves
    });

    it("measures perplexity by the published weighting", async () => {
      const { ids, window, ppl } = golden.perplexity;
      expect((await perplexity(model, ids, { window })) / ppl).toBeCloseTo(1, 5);
      expect((await perplexity(model, ids, { window, batchSize: 1 })) / ppl).toBeCloseTo(1, 5);
    });

    it("gives under a shift of the last layer what hooks give, and frees what it used", async () => {
      const { ids, window } = golden.perplexity;
      const [vector] = (await readValueVectors(model, [golden.intervention])) as [Float64Array];
      const before = tf.memory().numTensors;
      for (const protocol of ["as-published", "corrected"] as const) {
        const hooked = await perplexity(model, ids, {
          window,
          hooks: subtractDirection(model, vector, 2),
          protocol,
        });
        const text = lastLayerPerplexity(model, ids, { window, protocol });
        expect((await text.under({ vector, scale: 2 })) / hooked).toBeCloseTo(1, 5);
        const plain = await perplexity(model, ids, { window, protocol });
        expect((await text.under({ vector, scale: 0 })) / plain).toBeCloseTo(1, 5);
        text.dispose();
      }
      expect(tf.memory().numTensors).toBe(before);
    });
  },
);
