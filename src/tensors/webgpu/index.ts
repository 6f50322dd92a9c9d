import * as tf from "@tensorflow/tfjs-core";
import type { OpenedBackend } from "../opened.js";
import { UserError } from "@alignscope/base/errors";
import { describeAdapter, findAdapter } from "./adapter.js";
import { DeviceBackend, openDevice, type DeviceLimits } from "./device.js";
import { registerKernels } from "./register.js";

/*
 * WebGPU in Node through Dawn (npm `webgpu`): Vulkan on Linux, Metal on macOS, Direct3D 12 on Windows.
 */

export type { DeviceLimits } from "./device.js";

/**
 * Dispatches per submit. GPT-2 medium's forward pass has about 200: three submits, so that the GPU computes while the rest
 * is recorded, rarely waits between two batches, and memory is given back in between. (Recording takes the CPU some 50 µs a
 * dispatch and a submit 11 µs, measured on SwiftShader: few submits are for the GPU's sake.)
 */
const SUBMIT_AFTER = 64;
/** tfjs' program for products of other dtypes or activations: the one that never adds atomically. */
const PACKED_PROGRAM = 3;

let opened: { backend: DeviceBackend; description: OpenedBackend } | undefined;

/**
 * Opens the webgpu backend on a real GPU; with `software` also on an adapter that computes on the CPU (SwiftShader),
 * which is right for checking kernels and far too slow for work.
 *
 * @throws UserError when there is no adapter, saying what to install
 */
export async function openWebgpu({ software = false } = {}): Promise<OpenedBackend> {
  if (!opened || opened.backend.faults.lost) {
    const found = await findAdapter(software);
    const device = await openDevice(found);
    const backend = withNavigator(found.gpu, () => new DeviceBackend(device, found.adapter.info));
    setFlags();
    // A device that was lost.
    if (tf.findBackendFactory("webgpu")) tf.removeBackend("webgpu");
    tf.registerBackend("webgpu", () => backend, 3);
    if (!opened) registerKernels();
    opened = {
      backend,
      description: {
        backend: "webgpu",
        device: describeAdapter(found.adapter.info),
        ...(found.adapter.info.description ? { driver: found.adapter.info.description } : {}),
        blas: null,
        threads: 1,
        memoryLimitBytes: null,
        notes: found.notes,
      },
    };
  }
  await tf.setBackend("webgpu");
  await tf.ready();
  return opened.description;
}

/**
 * The limits of the device that is open.
 *
 * @throws UserError when the webgpu backend is not open
 */
export function webgpuLimits(): DeviceLimits {
  if (!opened) throw new UserError("webgpu: the backend is not open: openBackend('webgpu') first");
  return opened.backend.limits;
}

function setFlags(): void {
  const env = tf.env();
  env.set("WEBGPU_CPU_FORWARD", false);
  env.set("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE", SUBMIT_AFTER);
  if (process.env["ALIGNSCOPE_NONDETERMINISTIC"] !== "1")
    env.set("WEBGPU_MATMUL_PROGRAM_TYPE", PACKED_PROGRAM);
}

/** The backend's constructor asks whether a browser's navigator has WebGPU; nobody asks later. */
function withNavigator<T>(gpu: GPU, make: () => T): T {
  const host = globalThis as { navigator?: object };
  // Node has a navigator since version 21. tfjs looks its platform up there.
  host.navigator ??= { userAgent: "node", platform: process.platform };
  Object.defineProperty(host.navigator, "gpu", { value: gpu, configurable: true });
  try {
    return make();
  } finally {
    delete (host.navigator as { gpu?: GPU }).gpu;
  }
}
