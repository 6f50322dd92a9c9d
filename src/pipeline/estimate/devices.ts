import type { ModelShape } from "../../data/model-shape.js";
import type { Work } from "./work.js";

/** A class of machines and what is assumed of it. */
export interface Device {
  id: "cpu" | "gpu";
  name: string;
  /** Sustained operations a second in the matrix products of a model of this width. */
  flopsPerSecond: (width: number) => number;
  /** Seconds that one pass takes per layer however little it computes: kernels are launched one after another. */
  secondsPerLayer: number;
  /** Seconds of a notebook that computes nothing: kernel, imports, opening the model, drawing. */
  secondsPerNotebook: number;
  /** Where the figures come from, for readers. */
  basis: string;
}

/** Plain JavaScript in float64. */
const HOST_FLOPS_PER_SECOND = 1e9;

export const DEVICES: readonly Device[] = [
  {
    id: "cpu",
    name: "2 CPU cores",
    // Narrow matrices leave much of the time to what lies between the products: 45 GFLOP/s in the lab profile at a width
    // of 192, 150 in `alignscope bench` at 768.
    flopsPerSecond: (width) => Math.min(1.5e11, (4.5e10 * width) / 192),
    secondsPerLayer: 2e-4,
    secondsPerNotebook: 6,
    basis:
      "fitted to the lab profile on two cores with OpenBLAS (within a factor of two) and to the bench of GPT-2 small",
  },
  {
    id: "gpu",
    name: "one GPU",
    flopsPerSecond: () => 5e12,
    secondsPerLayer: 2.5e-4,
    secondsPerNotebook: 6,
    basis:
      "a data-centre GPU of the A100 or H100 class, float32 through WebGPU: assumed, never measured, easily wrong by a factor of three",
  },
];

/** Seconds of some work on a device: operations at its rate, what each pass costs at least, and the host's part. */
export function secondsOf(work: readonly Work[], { layers, width }: ModelShape, device: Device): number {
  return work.reduce(
    (sum, { flops, passes, hostFlops = 0 }) =>
      sum +
      flops / device.flopsPerSecond(width) +
      passes * layers * device.secondsPerLayer +
      hostFlops / HOST_FLOPS_PER_SECOND,
    device.secondsPerNotebook,
  );
}
