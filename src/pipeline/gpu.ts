import { existsSync } from "node:fs";

const GPU_BACKENDS: readonly unknown[] = ["cuda", "webgpu"];

/** Whether this machine has an NVIDIA GPU with its driver loaded. */
function hasGpu(): boolean {
  return existsSync("/dev/nvidiactl") || existsSync("/dev/dxg");
}

/**
 * Whether a notebook computes on the GPU, of which there is one: a backend takes its memory for as long as its process
 * lives. `auto` counts where there is one to take, and for an export, which knows nothing of the machines, does not.
 *
 * @param here whether a GPU is there for `auto`
 */
export function usesGpu(
  parameters: Readonly<Record<string, { value?: unknown } | undefined>>,
  here: boolean = hasGpu(),
): boolean {
  const backend = parameters["backend"]?.value;
  return GPU_BACKENDS.includes(backend) || (backend === "auto" && here);
}
