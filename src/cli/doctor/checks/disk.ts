import { resolve } from "node:path";
import { size } from "@alignscope/base/size";
import type { Check } from "../check.js";
import { type Line, note, ok, problem } from "../report.js";

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
