import { modelShape } from "../../data/model-shape.js";
import type { EffectiveParameters } from "../parameters.js";
import { DEVICES, secondsOf } from "./devices.js";
import { memoryOf, type MemoryEstimate, weightBytes } from "./memory.js";
import { workOf } from "./notebooks.js";
import { taskOf } from "./task.js";

/** What a run will take, roughly, before anything has run. */
export interface Estimate {
  /** The assumptions, a line each. */
  assumptions: string[];
  /** With the sustained rate that is assumed for this model. */
  devices: { id: string; name: string; flopsPerSecond: number; basis: string }[];
  notebooks: NotebookEstimate[];
  /** Seconds by device of the notebooks that will or may run; notebooks without an estimate are left out. */
  totalSeconds: Record<string, number>;
  /** Notebooks whose work nobody has modelled. */
  unknown: string[];
  memory: MemoryEstimate & { weights: number };
}

export interface NotebookEstimate {
  notebook: string;
  flops: number;
  seconds: Record<string, number>;
  /** Floating-point operations of its parts. */
  parts: { what: string; flops: number; hostFlops: number }[];
  /** Whether the total counts it: it will or may run. */
  counted: boolean;
}

const ASSUMPTIONS = [
  "time = floating-point operations / sustained rate + passes x layers x launch time + the host's float64 work + 6 s per notebook",
  "operations: 2 per parameter and token forward, 6 in training, 4 for the effects of keys; PPLM per token and iteration: two tokens forward, and as much again for the gradient",
  "texts have a token for every four bytes; DPO trains 1,500 steps at a rate of 1e-6, as in the paper, proportionally fewer at a higher one",
];

/**
 * Time and memory of the notebooks with the parameters that they will have.
 *
 * @returns undefined where the notebooks do not say which model they load, or its shape is unknown
 */
export function estimate(
  notebooks: readonly { notebook: string; parameters: EffectiveParameters; counted: boolean }[],
): Estimate | undefined {
  const estimates: NotebookEstimate[] = [];
  const unknown: string[] = [];
  const memories: MemoryEstimate[] = [];
  // How many pairs there are is for one notebook to make and for another to train on.
  const series: EffectiveParameters = {};
  for (const { parameters } of notebooks) Object.assign(series, parameters);
  let weights = 0;
  let width = 0;
  for (const { notebook, parameters, counted } of notebooks) {
    const model = parameters["model"]?.value;
    const shape = typeof model === "string" ? modelShape(model) : undefined;
    if (!shape) {
      unknown.push(notebook);
      continue;
    }
    weights = Math.max(weights, weightBytes(shape));
    width = Math.max(width, shape.width);
    const task = taskOf(shape, { ...series, ...parameters });
    memories.push(memoryOf(notebook, task));
    const work = workOf(notebook, task);
    if (!work) {
      unknown.push(notebook);
      continue;
    }
    estimates.push({
      notebook,
      flops: work.reduce((sum, { flops }) => sum + flops, 0),
      seconds: Object.fromEntries(DEVICES.map((device) => [device.id, secondsOf(work, shape, device)])),
      parts: work.map(({ what, flops, hostFlops = 0 }) => ({ what, flops, hostFlops })),
      counted,
    });
  }
  const [largest] = memories.sort((a, b) => b.bytes - a.bytes);
  if (!largest) return undefined;
  const total = (id: string) =>
    estimates.reduce((sum, { seconds, counted }) => sum + (counted ? (seconds[id] ?? 0) : 0), 0);
  return {
    assumptions: ASSUMPTIONS,
    devices: DEVICES.map(({ id, name, flopsPerSecond, basis }) => ({
      id,
      name,
      flopsPerSecond: flopsPerSecond(width),
      basis,
    })),
    notebooks: estimates,
    totalSeconds: Object.fromEntries(DEVICES.map(({ id }) => [id, total(id)])),
    unknown,
    memory: { ...largest, weights },
  };
}
