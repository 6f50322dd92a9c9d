import { BACKENDS, type BackendDescription, type BackendName } from "@alignscope/tensors";
import type { Check, Context } from "../check.js";
import { type Line, note, ok, problem } from "../report.js";
import { attempt, type Trial } from "../trials/index.js";
import { backendWanted } from "./wanted.js";

interface BackendTrial {
  opened: BackendDescription;
  product: { side: number; milliseconds: number; right: boolean };
}

/** Milliseconds for one backend: Dawn compiles shaders, libtensorflow may compile for a new GPU. */
const PATIENCE = 8000;

/** Each backend in a process of its own, two at a time: more would only wait for each other. */
export const backendsCheck: Check = {
  name: "backends",
  doing: "opening each backend",
  timeout: 18_500,
  vital: true,
  run: async (context) => {
    const trials = new Map<BackendName, Trial<BackendTrial>>();
    // wasm first: it is the one that every run can fall back on.
    const queue: BackendName[] = ["wasm", ...BACKENDS.filter((name) => name !== "wasm")];
    const deadline = Date.now() + 18_000;
    const worker = async (): Promise<void> => {
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
        const patience = Math.max(1000, Math.min(PATIENCE, deadline - Date.now()));
        trials.set(name, await attempt<BackendTrial>(context.host, "try-backend", [name], patience));
      }
    };
    await Promise.all([worker(), worker()]);
    return judge(context, trials);
  },
};

async function judge(
  context: Context,
  trials: ReadonlyMap<BackendName, Trial<BackendTrial>>,
): Promise<Line[]> {
  const wanted = backendWanted(await context.forecast());
  const works = (name: BackendName): boolean => {
    const trial = trials.get(name);
    return trial !== undefined && "said" in trial && trial.said.product.right;
  };
  const none = BACKENDS.filter((name) => name !== "cpu").every((name) => !works(name));
  return BACKENDS.map((name) => {
    const line = describe(name, trials.get(name) ?? { ended: "not tried" });
    if (works(name)) return line;
    // A backend that nobody asks for and that another stands in for is no problem.
    const stops = wanted === name || (wanted === "auto" && none && name === "wasm");
    if (!stops) return line;
    return problem(line.what, line.found, line.remedy ?? `choose another with --backend`, line.details);
  });
}

function describe(name: BackendName, trial: Trial<BackendTrial>): Line {
  const what = `backend ${name}`;
  if ("ended" in trial) return note(what, trial.ended, ENDED[name]);
  if ("refused" in trial) {
    const { reason, remedy } = splitRemedy(trial.refused.replace(`${name}: `, ""));
    return note(what, `does not open: ${reason}`, remedy ?? ENDED[name]);
  }
  const { opened, product } = trial.said;
  const { device, driver, blas, threads, notes } = opened;
  const { side, milliseconds, right } = product;
  const details = {
    device,
    driver: driver ?? null,
    blas,
    threads,
    productSide: side,
    productMilliseconds: Number(milliseconds.toPrecision(3)),
    gflops: Number(((2 * side ** 3) / milliseconds / 1e6).toPrecision(3)),
  };
  if (!right) {
    return note(what, `opens on ${device}, but multiplies wrongly`, "choose another with --backend", details);
  }
  const found =
    `${[device, blas].filter(Boolean).join(", ")}: a product of ${side} x ${side} in ` +
    `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms (${details.gflops} GFLOP/s)`;
  if (name === "webgpu" && /swiftshader|llvmpipe|lavapipe|software/i.test(device)) {
    const remedy =
      "install the GPU's Vulkan driver; `auto` passes a software driver over, it is for checking kernels";
    return note(what, `only a software driver: ${found}`, remedy, details);
  }
  // What the backend has to say besides is about speed; the check "blas" says the same of BLAS with its remedy.
  return name === "cpu" && notes[0] ? ok(what, `${found}; ${notes[0]}`, details) : ok(what, found, details);
}

const ENDED: Readonly<Record<BackendName, string>> = {
  cuda: "nothing, unless you want to use an NVIDIA GPU through CUDA: `npm run setup:cuda` installs what it needs",
  native: "nothing: wasm and webgpu do without it",
  webgpu: "nothing without a GPU; with one, install its Vulkan driver and libvulkan1",
  wasm: "run `npm run build`, which installs its package again if it is not whole",
  cpu: "run `npm run build`, which installs its package again if it is not whole",
};

/** Backends end their refusal with what to do, in parentheses, which may hold others. */
export function splitRemedy(message: string): { reason: string; remedy: string | null } {
  const line = (message.split("\n")[0] ?? "").trim();
  if (!line.endsWith(")")) return { reason: line, remedy: null };
  let depth = 0;
  for (let at = line.length - 1; at > 0; at--) {
    if (line[at] === ")") depth++;
    if (line[at] === "(" && --depth === 0) {
      return { reason: line.slice(0, at).trim(), remedy: line.slice(at + 1, -1) };
    }
  }
  return { reason: line, remedy: null };
}
