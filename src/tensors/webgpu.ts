import * as tf from "@tensorflow/tfjs-core";
import koffi from "koffi";
import { UserError, messageOf } from "../data/errors";
import type { OpenedBackend } from "./backend";

/*
 * WebGPU in Node through Dawn (npm `webgpu`). The device is made here rather than by the backend's factory: that one
 * needs a browser's navigator and asks for features in a form strict hosts refuse.
 */

interface Dawn {
  create(options: string[]): GPU;
  globals: Record<string, unknown>;
}

let opened: OpenedBackend | undefined;

/**
 * Opens the webgpu backend on a real GPU; with `software` also on an adapter that computes on the CPU (SwiftShader),
 * which is right for checking kernels and far too slow for work.
 */
export async function openWebgpu({ software = false } = {}): Promise<OpenedBackend> {
  if (!opened) {
    const adapter = await requestAdapter();
    const { info } = adapter;
    const isSoftware = /swiftshader|llvmpipe|lavapipe|software/i.test(
      `${info.vendor} ${info.architecture} ${info.device} ${info.description}`,
    );
    if (isSoftware && !software) {
      throw new UserError(
        `webgpu: only a software adapter (${info.description || info.device}), no GPU: install the GPU's Vulkan driver`,
      );
    }
    const wanted = [
      "maxStorageBufferBindingSize",
      "maxBufferSize",
      "maxComputeWorkgroupStorageSize",
      "maxComputeInvocationsPerWorkgroup",
      "maxComputeWorkgroupSizeX",
    ] as const;
    const requiredLimits = Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]]));
    const device = await adapter.requestDevice({ requiredLimits });
    const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
    // The package registers a factory of its own under this name; ours replaces it.
    tf.removeBackend("webgpu");
    tf.registerBackend("webgpu", () => new WebGPUBackend(device, info), 3);
    opened = {
      backend: "webgpu",
      device:
        [info.vendor, info.architecture, info.description || info.device].filter(Boolean).join(" ") || "GPU",
      blas: null,
      threads: 1,
      memoryLimitBytes: adapter.limits.maxBufferSize,
      notes: isSoftware ? ["software adapter: for checking only"] : [],
    };
  }
  await tf.setBackend("webgpu");
  await tf.ready();
  return opened;
}

async function requestAdapter(): Promise<GPUAdapter> {
  requireVulkan();
  let dawn: Dawn;
  try {
    dawn = (await import("webgpu")) as unknown as Dawn;
  } catch (error) {
    throw new UserError(
      `webgpu: Dawn does not load: ${messageOf(error).split("\n")[0]} (npm install webgpu)`,
    );
  }
  Object.assign(globalThis, dawn.globals);
  const gpu = dawn.create([]);
  // The backend looks its flags up in navigator, which Node has only since version 21.
  const host = globalThis as { navigator?: object };
  host.navigator ??= { userAgent: "node", platform: process.platform };
  Object.defineProperty(host.navigator, "gpu", { value: gpu, configurable: true });
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter)
    throw new UserError(
      "webgpu: no adapter found: install the GPU's Vulkan driver (on macOS and Windows: a current system)",
    );
  return adapter;
}

/** Without a Vulkan loader there is no adapter on Linux, and Dawn would say so at length on standard error. */
function requireVulkan(): void {
  if (process.platform !== "linux") return;
  try {
    koffi.load("libvulkan.so.1");
  } catch {
    throw new UserError("webgpu: no Vulkan loader: install libvulkan1 and the GPU's driver");
  }
}
