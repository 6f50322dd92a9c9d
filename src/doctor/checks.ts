import type { Check } from "./check";
import { backendsCheck } from "./checks/backends";
import { blasCheck } from "./checks/blas";
import { buildCheck } from "./checks/build";
import { dataCheck } from "./checks/data";
import { diskCheck } from "./checks/disk";
import { gpuCheck } from "./checks/gpu";
import { jupyterCheck } from "./checks/jupyter";
import { kernelCheck } from "./checks/kernel";
import { memoryCheck } from "./checks/memory";
import { networkCheck } from "./checks/network";
import { nodeCheck } from "./checks/node";
import { toolsCheck } from "./checks/tools";

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
