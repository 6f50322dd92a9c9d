import { size } from "@alignscope/base/size";
import { PROCESSES_BYTES } from "../../../pipeline/room.js";
import type { Check } from "../check.js";
import { note, ok, problem } from "../report.js";

/** Memory against what the profile's tensors take, were they to lie in the CPU's. */
export const memoryCheck: Check = {
  name: "memory",
  doing: "memory",
  timeout: 12_000,
  vital: false,
  run: async ({ host, forecast, profile }) => {
    const { total, free, limit } = host.memory();
    const tensors = (await forecast())?.estimate?.memory?.bytes;
    const needed = tensors === undefined ? null : tensors + PROCESSES_BYTES;
    const most = limit ?? total;
    const details = { total, free, limit, needed };
    const found =
      `${size(total)}, ${size(free)} free` + (limit === null ? "" : `; this process may take ${size(limit)}`);
    if (needed === null) return [ok("memory", found, details)];
    const needs = `${profile} needs about ${size(needed)} on the CPU`;
    if (needed > most) {
      const remedy =
        "run it on a machine or in a container with more memory, on a GPU with --backend, or with smaller batches (`npx alignscope plan` shows them)";
      // On a GPU the tensors lie elsewhere: only processes that do not fit are proof that it cannot run.
      return [
        PROCESSES_BYTES > most
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
