import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { DeviceBackend } from "../device.js";
import { programOf, run, spread } from "../run.js";
import { sizeOf } from "./define.js";

const WORKGROUP = 256;

interface Elementwise {
  name: string;
  /** Tensors of one size, by their name in the code. */
  tensors: Record<string, TensorInfo>;
  written: string[];
  /** WGSL functions for elements of a type. */
  functions?: (type: string) => string;
  parameters?: Record<string, number>;
  /** What happens to element `i`, a number or four at a time. */
  body: string;
}

/** Runs a kernel on each element, four at a time where their number allows. */
export function elementwise(backend: DeviceBackend, kernel: Elementwise): void {
  const { name, tensors, written, functions, parameters = {}, body } = kernel;
  const size = sizeOf(Object.values(tensors)[0] as TensorInfo);
  if (size === 0) return;
  const four = size % 4 === 0;
  const type = four ? "vec4<f32>" : "f32";
  const program = programOf(`${name}${four ? " by four" : ""}`, () => ({
    bindings: Object.keys(tensors).map((tensor) => ({ name: tensor, type, write: written.includes(tensor) })),
    parameters: {
      count: "u32",
      ...Object.fromEntries(Object.keys(parameters).map((key) => [key, "f32"] as const)),
    },
    workgroup: WORKGROUP,
    declarations: functions?.(type),
    body: `
  let i = (group.y * groups.x + group.x) * ${WORKGROUP}u + tid;
  if (i >= p.count) { return; }
  ${body}`,
  }));
  const count = four ? size / 4 : size;
  run(
    backend,
    program,
    Object.values(tensors),
    { count, ...parameters },
    spread(backend, Math.ceil(count / WORKGROUP)),
  );
}
