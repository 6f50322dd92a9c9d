import type { Check } from "./check.js";
import { backendsCheck } from "./checks/backends.js";
import { blasCheck } from "./checks/blas.js";
import { buildCheck } from "./checks/build.js";
import { dataCheck } from "./checks/data.js";
import { diskCheck } from "./checks/disk.js";
import { gpuCheck } from "./checks/gpu.js";
import { jupyterCheck } from "./checks/jupyter.js";
import { kernelCheck } from "./checks/kernel.js";
import { memoryCheck } from "./checks/host-memory.js";
import { networkCheck } from "./checks/network.js";
import { nodeCheck } from "./checks/node.js";
import { toolsCheck } from "./checks/tools.js";

/** Every check, in the order in which it is shown. */
export const CHECKS: readonly Check[] = [
  nodeCheck,
  buildCheck,
  kernelCheck,
  backendsCheck,
  blasCheck,
  gpuCheck,
  memoryCheck,
  diskCheck,
  toolsCheck,
  networkCheck,
  dataCheck,
  jupyterCheck,
];
