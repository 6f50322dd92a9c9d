import { expect, test } from "vitest";
import { randomWalk } from "../../src/analysis/index.js";
import { gaussian } from "../../src/model/index.js";

test("one step of RMSProp is ten times the learning rate, its running mean having grown to a hundredth", () => {
  expect(randomWalk({ learningRate: 0.1, warmupSteps: 0, steps: 1 })).toBeCloseTo(1, 12);
  expect(randomWalk({ learningRate: 0.1, warmupSteps: 3, steps: 1 })).toBeCloseTo(0.25, 12);
  expect(randomWalk({ learningRate: 1, warmupSteps: 0, steps: 0 })).toBe(0);
});

test("entries that RMSProp moves by random gradients end as far away as it says, within a tenth", () => {
  const run = { learningRate: 0.01, warmupSteps: 30, steps: 400 };
  const normal = gaussian(7);
  const entries = 3000;
  let squares = 0;
  for (let i = 0; i < entries; i += 1) {
    let [place, meanSquare] = [0, 0];
    for (let t = 0; t < run.steps; t += 1) {
      const gradient = 5 * normal();
      meanSquare = 0.99 * meanSquare + 0.01 * gradient ** 2;
      const rate = run.learningRate * Math.min(1, (t + 1) / (run.warmupSteps + 1));
      place -= (rate * gradient) / (Math.sqrt(meanSquare) + 1e-8);
    }
    squares += place ** 2;
  }
  const measured = Math.sqrt(squares / entries);
  expect(randomWalk(run) / measured).toBeGreaterThan(0.9);
  expect(randomWalk(run) / measured).toBeLessThan(1.1);
});

test("it is proportional to the learning rate, and at the published one is some 4e-5", () => {
  const published = randomWalk({ learningRate: 1e-6, warmupSteps: 150, steps: 1500 });
  expect(published).toBeGreaterThan(3.5e-5);
  expect(published).toBeLessThan(4.5e-5);
  expect(randomWalk({ learningRate: 1e-5, warmupSteps: 150, steps: 1500 })).toBeCloseTo(10 * published, 12);
});
