import { resolve } from "node:path";
import { size } from "@alignscope/base/size";
import { PROCESSES_BYTES } from "../../../pipeline/room.js";
import { type Check, type Line, note, ok, problem } from "../check.js";

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

/** Bytes of notebooks, figures, tables and pages. */
const RESULTS = 200e6;
/** Models and states of training beside each other, in sizes of the model. */
const MODELS = 5;

/** Room and permission in the folders that a run writes to. */
export const diskCheck: Check = {
  name: "disk",
  doing: "disk",
  timeout: 12_000,
  vital: false,
  run: async ({ host, outputs, cache, forecast, profile }) => {
    const known = await forecast();
    const model = known?.data.find(({ parameters }) => parameters.includes("model"));
    const runtime =
      host.env["JUPYTER_RUNTIME_DIR"] ?? host.env["JUPYTER_DATA_DIR"] ?? resolve(host.home, ".local/share");
    const folders = [
      {
        what: "outputs",
        folder: outputs,
        needed: RESULTS + MODELS * (model?.bytes ?? 0),
        remedy: "or give --outputs DIR",
      },
      { what: "cache", folder: cache, needed: known?.missing.bytes ?? 0, remedy: "or set ALIGNSCOPE_CACHE" },
      { what: "temporary", folder: host.tmp, needed: 50e6, remedy: "or set TMPDIR" },
      { what: "kernel's", folder: runtime, needed: 1e6, remedy: "or set JUPYTER_RUNTIME_DIR" },
    ];
    return Promise.all(
      folders.map(async ({ what: name, folder, needed, remedy }): Promise<Line> => {
        const what = `disk ${name}`;
        const details = { folder, needed, free: null as number | null, writable: host.writable(folder) };
        if (!details.writable) {
          // Only a run that has something to fetch writes there.
          const line = name === "cache" && needed === 0 ? note : problem;
          return line(
            what,
            `${folder} is not writable`,
            `make it writable for this user, ${remedy}`,
            details,
          );
        }
        const free = (details.free = await host.freeBytes(folder));
        const found = `${folder}: ${size(free)} free`;
        if (free < needed) {
          const room = `make room of about ${size(needed)}, ${remedy}`;
          return problem(what, `${found}; ${profile} needs about ${size(needed)}`, room, details);
        }
        return ok(what, needed > 0 ? `${found}; ${profile} needs about ${size(needed)}` : found, details);
      }),
    );
  },
};
