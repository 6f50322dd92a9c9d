import util from "node:util";

/** What libtensorflow and the CUDA driver are told unless the user has told them already, and why, in a few words. */
const SETTINGS: readonly { name: string; value: string; cudaOnly: boolean; note: string | null }[] = [
  { name: "TF_CPP_MIN_LOG_LEVEL", value: "2", cudaOnly: false, note: null }, // errors only
  {
    name: "TF_FORCE_GPU_ALLOW_GROWTH",
    value: "true",
    cudaOnly: true,
    note: "takes GPU memory as it needs it",
  },
  {
    // TensorFlow turns TF32 on since 2.4, ten bits of mantissa in place of 23, and tfjs has no switch for it.
    name: "NVIDIA_TF32_OVERRIDE",
    value: "0",
    cudaOnly: true,
    note: "full float32 products",
  },
  {
    // 4 GiB: on a GPU newer than libtensorflow all kernels are compiled at first use, more than the default holds.
    name: "CUDA_CACHE_MAXSIZE",
    value: "4294967296",
    cudaOnly: true,
    note: null,
  },
];

/**
 * Sets what libtensorflow and the CUDA driver read from the environment, each once: before the package is loaded, and
 * before the driver is asked anything. What the user has set stays. Where compiled kernels are kept is the driver's
 * default, `~/.nv/ComputeCache`, or the user's CUDA_CACHE_PATH.
 *
 * @returns notes on what this means, for the description of the backend
 */
export function prepareEnvironment(
  backend: "cuda" | "native",
  environment: NodeJS.ProcessEnv = process.env,
): string[] {
  const notes: string[] = [];
  for (const { name, value, cudaOnly, note } of SETTINGS) {
    if (cudaOnly && backend !== "cuda") continue;
    environment[name] ??= value;
    const chosen = environment[name];
    if (note) notes.push(chosen === value ? `${note} (${name}=${value})` : `${name}=${chosen}`);
  }
  return notes;
}

/**
 * Puts back the two helpers of node:util that tfjs-node 4.22 calls in every operation: Node.js 23 removed
 * `isNullOrUndefined`, and `isArray` is deprecated (tensorflow/tfjs#8609).
 */
export function restoreUtilHelpers(target: object = util): void {
  const helpers = target as Record<string, unknown>;
  helpers["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  helpers["isArray"] ??= Array.isArray;
}
