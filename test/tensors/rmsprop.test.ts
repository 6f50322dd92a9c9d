import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { gaussian } from "../../src/model/index.js";
import { rmsPropUpdate } from "../../src/tensors/ops/index.js";
import { onEachBackend } from "../backends.js";
import { relativeError, valuesOf } from "../model/cases.js";
import { rmspropStep } from "../referee/index.js";

const SHAPE = [3, 5];

onEachBackend(({ some }) => {
  const settings = [
    { learningRate: 1e-3 },
    { learningRate: 0.1, decay: 0.5, epsilon: 1e-2 },
    { learningRate: 1e-2, decay: 0, epsilon: 1 },
  ];
  test.each(some(settings))("six steps are torch's, in float64: %o", async (options) => {
    const normal = gaussian(8);
    const next = (): Float64Array => Float64Array.from({ length: 15 }, () => Math.fround(normal()));
    let weights = new Map([["a", next()]]);
    const averages = new Map<string, Float64Array>();
    let parameter: tf.Tensor = tf.tensor(Float32Array.from(weights.get("a")!), SHAPE);
    let meanSquare: tf.Tensor = tf.zeros(SHAPE);
    const { numTensors } = tf.memory();
    for (let step = 0; step < 6; step += 1) {
      // A gradient of exactly 0, and a tiny one, among them.
      const slopes = next().map((x, i) => (i === 0 ? 0 : i === 1 ? Math.fround(1e-6 * x) : x));
      const {
        learningRate,
        decay: alpha,
        epsilon,
      } = options as { learningRate: number; decay?: number; epsilon?: number };
      weights = rmspropStep(weights, new Map([["a", slopes]]), averages, {
        learningRate,
        ...(alpha === undefined ? {} : { alpha, epsilon }),
      });
      const gradient = tf.tensor(Float32Array.from(slopes), SHAPE);
      ({ parameter, meanSquare } = rmsPropUpdate(parameter, meanSquare, gradient, options));
      gradient.dispose();
      expect(relativeError(await parameter.data(), weights.get("a")!)).toBeLessThan(1e-5);
      expect(relativeError(await meanSquare.data(), averages.get("a")!)).toBeLessThan(1e-5);
    }
    expect(tf.memory().numTensors).toBe(numTensors);
    tf.dispose([parameter, meanSquare]);
  });

  test("what shares memory with the parameter or the mean square does not change", async () => {
    const [parameter, meanSquare, gradient] = [tf.ones(SHAPE), tf.zeros(SHAPE), tf.fill(SHAPE, 2)];
    const shared = tf.clone(parameter);
    const first = rmsPropUpdate(parameter, meanSquare, gradient, { learningRate: 0.5 });
    expect([...(await shared.data())]).toEqual(Array<number>(15).fill(1));
    const average = tf.clone(first.meanSquare);
    const before = [...(await average.data())];
    const second = rmsPropUpdate(first.parameter, first.meanSquare, gradient, { learningRate: 0.5 });
    expect([...(await average.data())]).toEqual(before);
    expect((await second.meanSquare.data())[0]).toBeGreaterThan(before[0]!);
    tf.dispose([shared, average, gradient, second.parameter, second.meanSquare]);
  });

  test("a product that has seen the parameter sees what it has become", async () => {
    let parameter: tf.Tensor2D = tf.ones([4, 4]);
    let meanSquare: tf.Tensor2D = tf.zeros([4, 4]);
    const [x, gradient]: tf.Tensor2D[] = [tf.ones([3, 4]), tf.ones([4, 4])];
    const product = async (): Promise<number | undefined> => (await valuesOf(tf.matMul(x!, parameter)))[0];
    expect(await product()).toBe(4);
    const options = { learningRate: 0.5, decay: 0, epsilon: 0 };
    ({ parameter, meanSquare } = rmsPropUpdate(parameter, meanSquare, gradient!, options));
    expect(await product()).toBeCloseTo(2, 5);
    ({ parameter, meanSquare } = rmsPropUpdate(parameter, meanSquare, gradient!, options));
    expect(await product()).toBeCloseTo(0, 5);
    tf.dispose([parameter, meanSquare, x!, gradient!]);
  });

  test("other shapes are refused, and nothing is taken over", async () => {
    const [parameter, meanSquare, gradient] = [tf.ones([2, 3]), tf.zeros([2, 3]), tf.ones([3, 2])];
    expect(() => rmsPropUpdate(parameter, meanSquare, gradient, { learningRate: 1 })).toThrow(
      "rmsPropUpdate: parameter [2,3], mean square [2,3], gradient [3,2]: expected one shape",
    );
    expect([...(await parameter.data())]).toEqual([1, 1, 1, 1, 1, 1]);
    tf.dispose([parameter, meanSquare, gradient]);
  });
});
