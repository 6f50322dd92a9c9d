import { dot, norm } from "./vectors.js";

/** Writes the gradient at `point` into `gradient` and returns the value there. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

export interface LbfgsOptions {
  /** How many past steps the curvature is estimated from. */
  memory?: number;
  maxIterations?: number;
  /** Stop when the gradient's Euclidean norm falls below this. */
  tolerance?: number;
}

/**
 * Limited-memory BFGS with Armijo backtracking, for smooth convex objectives (Nocedal and Wright, algorithm 7.5). All
 * float64. Returns the minimiser, its value and the number of iterations; `converged` is false when it stopped early.
 */
export function minimise(
  objective: Objective,
  start: Float64Array,
  { memory = 10, maxIterations = 500, tolerance = 1e-7 }: LbfgsOptions = {},
): { point: Float64Array; value: number; iterations: number; converged: boolean } {
  let point: Float64Array = Float64Array.from(start);
  let gradient: Float64Array = new Float64Array(start.length);
  let value = objective(point, gradient);
  const history: { step: Float64Array; change: Float64Array; curvature: number }[] = [];

  for (let iteration = 0; iteration < maxIterations; iteration += 1) {
    if (norm(gradient) < tolerance) return { point, value, iterations: iteration, converged: true };
    const direction = descentDirection(gradient, history);
    const slope = dot(gradient, direction);

    let length = history.length === 0 ? Math.min(1, 1 / norm(gradient)) : 1;
    const nextGradient = new Float64Array(point.length);
    let next: Float64Array;
    let nextValue: number;
    for (;;) {
      const reach = length;
      next = point.map((x, i) => x + reach * (direction[i] as number));
      nextValue = objective(next, nextGradient);
      if (nextValue <= value + 1e-4 * length * slope) break;
      length /= 2;
      if (length < 1e-14) return { point, value, iterations: iteration, converged: false };
    }

    const before = point;
    const gradientBefore = gradient;
    const step = next.map((x, i) => x - (before[i] as number));
    const change = nextGradient.map((g, i) => g - (gradientBefore[i] as number));
    const curvature = dot(step, change);
    // A pair without positive curvature would make the estimated Hessian indefinite.
    if (curvature > 1e-12) history.push({ step, change, curvature });
    if (history.length > memory) history.shift();
    point = next;
    gradient = nextGradient;
    value = nextValue;
  }
  return { point, value, iterations: maxIterations, converged: false };
}

/** Minus the inverse-Hessian estimate times the gradient, by the two-loop recursion. */
function descentDirection(
  gradient: Float64Array,
  history: { step: Float64Array; change: Float64Array; curvature: number }[],
): Float64Array {
  const direction = gradient.map((g) => -g);
  const weights: number[] = [];
  for (let k = history.length - 1; k >= 0; k -= 1) {
    const pair = history[k] as (typeof history)[number];
    const weight = dot(pair.step, direction) / pair.curvature;
    weights[k] = weight;
    for (let i = 0; i < direction.length; i += 1) {
      direction[i] = (direction[i] as number) - weight * (pair.change[i] as number);
    }
  }
  const latest = history.at(-1);
  if (latest) {
    const factor = latest.curvature / dot(latest.change, latest.change);
    for (let i = 0; i < direction.length; i += 1) direction[i] = (direction[i] as number) * factor;
  }
  for (let k = 0; k < history.length; k += 1) {
    const pair = history[k] as (typeof history)[number];
    const correction = (weights[k] as number) - dot(pair.change, direction) / pair.curvature;
    for (let i = 0; i < direction.length; i += 1) {
      direction[i] = (direction[i] as number) + correction * (pair.step[i] as number);
    }
  }
  return direction;
}
