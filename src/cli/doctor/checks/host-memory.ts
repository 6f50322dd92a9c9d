import { size } from "@alignscope/base/size";
import type { Check } from "../check.js";
import { note, ok, problem } from "../report.js";

/** Resident besides tensors, in bytes: the runner, the kernel's two processes, their code and the garbage collector's room. */
const PROCESSES = 900e6;

/** Memory against what the profile's largest notebook needs, were it to compute on the CPU. */
export const memoryCheck: Check = {
  name: "memory",
  doing: "memory",
  timeout: 12_000,
  vital: false,
  run: async ({ host, forecast, profile }) => {
    const { total, free, limit } = host.memory();
    const estimated = (await forecast())?.estimate?.memory;
    const needed = estimated ? estimated.bytes + PROCESSES : null;
    const most = limit ?? total;
    const details = { total, free, limit, needed, notebook: estimated?.notebook ?? null };
    const found =
      `${size(total)}, ${size(free)} free` + (limit === null ? "" : `; this process may take ${size(limit)}`);
    if (needed === null) return [ok("memory", found, details)];
    const needs = `${profile} needs about ${size(needed)} (${estimated?.notebook})`;
    if (needed > most) {
      const remedy =
        "run it on a machine or in a container with more memory, on a GPU with --backend, or with smaller batches (`npx alignscope plan` shows them)";
      // On a GPU the tensors lie elsewhere: the estimate is no proof that it cannot run.
      return [
        estimated && PROCESSES + estimated.weights > most
          ? problem("memory", `${found}; ${needs}`, remedy, details)
          : note("memory", `${found}; ${needs}`, remedy, details),
      ];
    }
    if (needed > free) {
      return [note("memory", `${found}; ${needs}`, "end other programs before you begin", details)];
    }
    return [ok("memory", `${found}; ${needs}`, details)];
  },
};
