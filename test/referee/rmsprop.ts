import type { Weights } from "./weights.js";

/**
 * One step of RMSProp as torch.optim.RMSprop takes it: v ← αv + (1−α)g², p ← p − lr·g/(√v + ε), from v = 0.
 *
 * @param averages v by parameter, changed in place; an empty map before the first step
 */
export function rmspropStep(
  weights: Weights,
  gradients: ReadonlyMap<string, Float64Array>,
  averages: Map<string, Float64Array>,
  { learningRate, alpha = 0.99, epsilon = 1e-8 }: { learningRate: number; alpha?: number; epsilon?: number },
): Weights {
  return new Map(
    [...weights].map(([name, values]) => {
      const gradient = gradients.get(name);
      if (!gradient) return [name, values];
      const before = averages.get(name) ?? new Float64Array(values.length);
      const average = before.map((v, i) => alpha * v + (1 - alpha) * gradient[i]! ** 2);
      averages.set(name, average);
      const step = (g: number, i: number): number => (learningRate * g) / (Math.sqrt(average[i]!) + epsilon);
      return [name, values.map((value, i) => value - step(gradient[i]!, i))];
    }),
  );
}
