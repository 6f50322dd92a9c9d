import { createRequire } from "node:module";
import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { UserError, messageOf } from "../data/errors";
import type { OpenedBackend } from "./backend";

/**
 * The packages that bind libtensorflow: on a GPU host, and on the CPU. The latter goes by an alias: under its own name
 * package.json gives danfojs-node another package, and npm would refuse to install both.
 */
const PACKAGES = { cuda: "@tensorflow/tfjs-node-gpu", native: "tfjs-node-native" } as const;

const REMEDY = {
  cuda: "run `npm run setup:cuda` on a host with an NVIDIA driver, CUDA 11 and cuDNN 8",
  native: "run `npm install --no-save tfjs-node-native@npm:@tensorflow/tfjs-node@4.22.0`",
} as const;

/** Opens libtensorflow through tfjs-node(-gpu), which the default install leaves out. */
export async function openNative(backend: "cuda" | "native"): Promise<OpenedBackend> {
  const name = PACKAGES[backend];
  const require = createRequire(__filename);
  let binding: { version?: Record<string, string> };
  try {
    restoreNullChecks();
    binding = require(name) as typeof binding;
  } catch (error) {
    const message = messageOf(error).split("\n")[0] ?? "";
    const reason = message.startsWith("Cannot find module")
      ? `${name} is not installed`
      : `${name} does not load: ${message}`;
    throw new UserError(`${backend}: ${reason} (${REMEDY[backend]})`);
  }
  await tf.setBackend("tensorflow");
  const nodeBackend = tf.backend() as unknown as { isUsingGpuDevice?: boolean };
  if (backend === "cuda" && !nodeBackend.isUsingGpuDevice) {
    throw new UserError(
      `cuda: ${name} loads but finds no GPU: check nvidia-smi, libcudart.so.11.0 and libcudnn.so.8`,
    );
  }
  return {
    backend,
    device: backend === "cuda" ? "CUDA GPU" : "CPU",
    blas: "libtensorflow",
    threads: 0,
    memoryLimitBytes: null,
    notes: binding.version ? [`tfjs-node ${binding.version["tfjs-node"] ?? "?"}`] : [],
  };
}

/** Node 23 removed two helpers that tfjs-node 4.22 calls in every operation (tensorflow/tfjs#8609). */
function restoreNullChecks(): void {
  const target = util as unknown as Record<string, unknown>;
  target["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  target["isArray"] ??= Array.isArray;
}
