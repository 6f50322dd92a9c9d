import { join } from "node:path";
import { type BackendDescription, type BackendName, BACKENDS } from "@alignscope/tensors";
import type { Forecast } from "../../../pipeline/index.js";
import { attempt, type Check, type Context, type Line, note, ok, problem, type Trial } from "../check.js";
import type { Host } from "../host.js";

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
        trials.set(name, await attempt<BackendTrial>(context.host, ["backend", name], patience));
      }
    };
    await Promise.all([worker(), worker()]);
    return judge(context, trials);
  },
};

/** The backend that a profile's notebooks are told to open, `auto` where nothing else is said. */
function backendWanted(forecast: Forecast | undefined): string {
  const value = forecast?.parameters.find(({ name }) => name === "backend")?.value;
  return typeof value === "string" && value !== "" ? value : "auto";
}

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

/** The library behind the matrix products of the wasm backend. */
export const blasCheck: Check = {
  name: "blas",
  doing: "looking for a BLAS",
  timeout: 9000,
  vital: false,
  run: async ({ host }) => {
    const trial = await attempt<{ name: string; threads: number; file: string }>(host, ["blas"], 8000);
    if ("said" in trial) {
      const { name, threads, file } = trial.said;
      const found = `${name} (${file}), ${threads} thread${threads === 1 ? "" : "s"}`;
      return [ok("blas", found, { name, file, threads })];
    }
    const slower = "matrix products on the CPU take several times as long";
    if (host.env["ALIGNSCOPE_BLAS"] === "none") {
      return [note("blas", `none, as ALIGNSCOPE_BLAS=none asks: ${slower}`, "unset ALIGNSCOPE_BLAS")];
    }
    const remedy =
      host.platform === "linux"
        ? "run `apt install libopenblas0-pthread` (Debian, Ubuntu; `dnf install openblas` on Fedora), or name a library with ALIGNSCOPE_BLAS"
        : "install OpenBLAS, or name its library with ALIGNSCOPE_BLAS";
    const why = "refused" in trial ? trial.refused.replace(/^no BLAS: | \([^()]*\)$/g, "") : trial.ended;
    return [note("blas", `none: ${why}; ${slower}`, remedy)];
  },
};

/** The GPU and its drivers, as the system has them; whether a backend can use them is the backends' line. */
export const gpuCheck: Check = {
  name: "gpu",
  doing: "GPU and drivers",
  timeout: 7000,
  vital: false,
  run: async ({ host }) => {
    if (host.platform === "darwin") return [ok("gpu", "macOS: webgpu uses Metal")];
    if (host.platform === "win32") return [ok("gpu", "Windows: webgpu uses Direct3D 12")];
    const libraries = await host.run("ldconfig", ["-p"], 3000);
    const has = (name: string): boolean => libraries.stdout.includes(name);
    return [await nvidia(host, has("libcuda.so.1")), vulkan(host, has("libvulkan.so.1"))];
  },
};

async function nvidia(host: Host, libcuda: boolean): Promise<Line> {
  const fields = "--query-gpu=name,driver_version,memory.total";
  const { code, stdout, stderr, failure } = await host.run(
    "nvidia-smi",
    [fields, "--format=csv,noheader"],
    5000,
  );
  if (failure === "missing") {
    return libcuda || host.exists("/dev/nvidiactl")
      ? note(
          "gpu",
          "an NVIDIA driver is there, but no nvidia-smi",
          "install the driver's tools to see what it has",
          {
            libcuda,
          },
        )
      : note(
          "gpu",
          "no NVIDIA driver",
          "nothing: everything runs on the CPU, the profile paper takes days there",
          {
            libcuda,
          },
        );
  }
  if (code !== 0) {
    const why = failure === "timeout" ? "does not answer" : (stdout + stderr).trim().split("\n")[0];
    return note(
      "gpu",
      `nvidia-smi: ${why}`,
      "install the driver of the running kernel again, or restart the machine",
    );
  }
  const gpus = stdout
    .trim()
    .split("\n")
    .map((line) => line.split(",").map((cell) => cell.trim()));
  const found = gpus.map(([name, driver, memory]) => `${name}, ${memory}, driver ${driver}`).join("; ");
  const [name = null, driver = null, memory = null] = gpus[0] ?? [];
  const details = { name, driver, memory, count: gpus.length, libcuda };
  return libcuda
    ? ok("gpu", `${found}; libcuda.so.1`, details)
    : note(
        "gpu",
        `${found}, but no libcuda.so.1`,
        "install the driver's compute library (Debian: libcuda1)",
        details,
      );
}

const VULKAN_FOLDERS = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];
const VULKAN_DRIVERS = ["nvidia", "radeon", "intel", "lvp", "virtio", "asahi", "nouveau"];

function vulkan(host: Host, loader: boolean): Line {
  const named = (host.env["VK_DRIVER_FILES"] ?? host.env["VK_ICD_FILENAMES"] ?? "")
    .split(":")
    .filter(Boolean);
  const candidates = VULKAN_FOLDERS.flatMap((folder) =>
    VULKAN_DRIVERS.flatMap((name) =>
      ["", ".x86_64", ".aarch64"].map((end) => join(folder, `${name}_icd${end}.json`)),
    ),
  );
  const drivers = (named.length > 0 ? named : candidates).filter((path) => host.exists(path));
  const details = { loader, drivers: drivers.join(":") };
  if (loader && drivers.length > 0) return ok("vulkan", `libvulkan.so.1, ${drivers.join(", ")}`, details);
  const lacks = [loader ? "" : "libvulkan.so.1", drivers.length > 0 ? "" : "a driver's icd.json"].filter(
    Boolean,
  );
  const remedy = "only webgpu needs it: install the GPU's Vulkan driver, and libvulkan1";
  return note("vulkan", `lacks ${lacks.join(" and ")}`, remedy, details);
}
