import { beforeAll, expect, test } from "vitest";
import { GPT2 } from "../../src/model/index.js";
import { lastActivations } from "../../src/toxicity/activations.js";
import { randomNeurons } from "../../src/toxicity/random.js";
import { silencedPromotion } from "../../src/toxicity/silenced.js";
import { allNeurons } from "../../src/toxicity/value-vectors.js";
import { unalign } from "../../src/toxicity/unalign.js";
import { readValueVectors } from "../../src/toxicity/value-vectors.js";
import { onEachBackend } from "../backends.js";
import { expectNoneLeft } from "../none-left.js";

const prompts = [[5, 6, 7], [1], [9, 8, 2, 3]];

onEachBackend(() => {
  let model: GPT2;
  let direction: Float64Array;
  beforeAll(async () => {
    model = await GPT2.load("test/fixtures/tiny-gpt2");
    direction = Float64Array.from({ length: model.config.dModel }, (_, i) => Math.sin(3 * i) + 0.2);
  });

  test("is the fall of each neuron's mean activation times its value vector's part along the direction", async () => {
    const changed = await unalign(model, randomNeurons(model, 12, 2), 4);
    const neurons = allNeurons(model);
    const [before, after] = [
      await lastActivations(model, prompts, neurons),
      await lastActivations(changed, prompts, neurons),
    ];
    const vectors = await readValueVectors(model, neurons);
    const length = Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0));
    const found = await silencedPromotion(model, changed, prompts, direction);
    const back = await silencedPromotion(changed, model, prompts, direction, { batchSize: 2 });
    expect(found).toHaveLength(neurons.length);
    neurons.forEach((_, i) => {
      let fall = 0;
      before[i]!.forEach((m, p) => (fall += (m - after[i]![p]!) / prompts.length));
      const along = vectors[i]!.reduce((sum, x, d) => sum + x * direction[d]!, 0) / length;
      expect(found[i]).toBeCloseTo(fall * along, 5);
      // What un-aligning takes back is what aligning took, since value vectors stay.
      expect(back[i]).toBeCloseTo(-found[i]!, 5);
    });
    expect(Math.max(...found.map(Math.abs))).toBeGreaterThan(1e-3);
    changed.dispose();
  });

  test("a model compared with itself has silenced nothing, and nothing is left in memory", async () => {
    await expectNoneLeft(async () => {
      const none = await silencedPromotion(model, model, prompts, direction);
      expect(none.every((value) => value === 0)).toBe(true);
    });
  });
});
