import type { CudaDevice } from "./driver.js";
import type { CudaProbe, NativePackage } from "./probe.js";
import { memorySize } from "@alignscope/base/size";

/** One thing that has to be right, and whether it is. */
export interface Finding {
  /** What was looked at, e.g. `driver`, `libcudnn.so.8`. */
  check: string;
  ok: boolean;
  /** What was found, in words. */
  detail: string;
  /** What to do about it; empty where nothing is to be done. */
  remedy: string;
}

/** The first CUDA whose driver runs libtensorflow 2.9.1, which is built against CUDA 11. */
const OLDEST_CUDA = 11;

/** Compute capabilities, as major·10 + minor: what libtensorflow 2.9.1 was built for begins at 3.5 and ends with 8.x. */
const OLDEST_CAPABILITY = 35;
const FIRST_COMPILED_AT_USE = 90;
const FIRST_UNSUPPORTED = 100;

/** Where each library comes from, by the beginning of its name: packages of CUDA 11.8 and cuDNN 8 on PyPI. */
const PYPI: Record<string, string> = {
  libcudart: "nvidia-cuda-runtime-cu11",
  libcublas: "nvidia-cublas-cu11",
  libcublasLt: "nvidia-cublas-cu11",
  libcufft: "nvidia-cufft-cu11",
  libcurand: "nvidia-curand-cu11",
  libcusolver: "nvidia-cusolver-cu11",
  libcusparse: "nvidia-cusparse-cu11",
  libcudnn: "nvidia-cudnn-cu11==8.9.*",
};

const SETUP = "run `npm run setup:cuda`";

/**
 * Judges whether the CUDA backend can open, and says of each thing what was found and what would mend it. The hardware
 * comes first: nobody should download libtensorflow to learn that there is no GPU.
 *
 * @returns findings in the order in which to mend them; what cannot be known without an earlier one is left out
 * @example
 * const wrong = diagnose(probe).find(({ ok }) => !ok);
 * if (wrong) console.log(`${wrong.detail} (${wrong.remedy})`);
 */
export function diagnose(probe: CudaProbe): Finding[] {
  const system = platform(probe);
  if (!system.ok) return [system];
  return [
    system,
    ...hardware(probe),
    ...diagnosePackage(probe.package, SETUP),
    ...probe.libraries.map(({ name, error }) => library(name, error)),
  ];
}

/** Judges the installation of a native package. @param setup what installs it, in the imperative */
export function diagnosePackage(
  { name, folder, addon, libtensorflow }: NativePackage,
  setup: string,
): Finding[] {
  if (folder === null) return [bad("package", `${name} is not installed`, setup)];
  const again = `its install step did not finish: remove ${folder} and ${setup}`;
  return [
    good("package", `${name} is installed`),
    addon
      ? good("addon", "the addon for this Node.js is there")
      : bad("addon", `${name} has no addon for this Node.js`, again),
    libtensorflow
      ? good("libtensorflow", "libtensorflow is there")
      : bad("libtensorflow", `${name} lacks libtensorflow`, again),
  ];
}

function platform({ platform, arch }: CudaProbe): Finding {
  if (platform === "linux" && arch === "x64") return good("platform", "Linux on x86-64");
  return bad(
    "platform",
    `${platform} on ${arch}, where libtensorflow has no CUDA build`,
    "use Linux on x86-64, or the backend webgpu",
  );
}

function hardware({ driver }: CudaProbe): Finding[] {
  if (!driver.cuda) {
    const remedy = `install the driver, or pass the GPU through to the container (\`--gpus all\`), then ${SETUP}`;
    return [bad("driver", `no NVIDIA driver: ${driver.error ?? "libcuda.so.1 is missing"}`, remedy)];
  }
  const version = driver.cuda.join(".");
  if (driver.error) {
    const remedy = "`nvidia-smi` must list the GPU: restart the machine after an update of the driver";
    return [bad("driver", `the NVIDIA driver for CUDA ${version} does not start: ${driver.error}`, remedy)];
  }
  if (driver.cuda[0] < OLDEST_CUDA) {
    return [
      bad("driver", `the NVIDIA driver is for CUDA ${version}`, "update it to 450.80 or newer, for CUDA 11"),
    ];
  }
  return [good("driver", `NVIDIA driver for CUDA ${version}`), ...device(driver)];
}

function device({ devices }: CudaProbe["driver"]): Finding[] {
  const [first] = devices;
  if (!first) {
    return [bad("device", "the NVIDIA driver finds no GPU", "check `nvidia-smi` and CUDA_VISIBLE_DEVICES")];
  }
  const others = devices.length > 1 ? `, the first of ${devices.length}` : "";
  return [
    good("device", `${first.name} with ${memorySize(first.memoryBytes)}${others}`),
    architecture(`${first.name} has compute capability ${first.capability.join(".")}`, first.capability),
  ];
}

function architecture(has: string, capability: CudaDevice["capability"]): Finding {
  const number = numberOf(capability);
  if (number >= FIRST_UNSUPPORTED) {
    return bad("architecture", `${has}, CUDA 11 goes up to 9.0`, "use the backend webgpu on this GPU");
  }
  if (number < OLDEST_CAPABILITY) {
    return bad("architecture", `${has}, libtensorflow 2.9.1 begins at 3.5`, "use the backend webgpu or wasm");
  }
  return good("architecture", [has, ...firstUseNotes(capability)].join(", "));
}

/** What to expect of a GPU that is newer than libtensorflow, which brings it kernels as source of a kind only. */
export function firstUseNotes(capability: CudaDevice["capability"]): string[] {
  if (numberOf(capability) < FIRST_COMPILED_AT_USE) return [];
  return [
    "the first run compiles kernels for up to half an hour and keeps them in ~/.nv/ComputeCache (CUDA_CACHE_PATH)",
  ];
}

function numberOf([major, minor]: CudaDevice["capability"]): number {
  return 10 * major + minor;
}

function library(name: string, error: string | null): Finding {
  if (error === null) return good(name, `${name} loads`);
  const source = PYPI[name.split(".")[0] ?? ""] ?? "CUDA 11.8";
  return bad(
    name,
    `${name} does not load: ${error.replace(`${name}: `, "")}`,
    `run \`pip install "${source}"\` and name the folder it puts it in in LD_LIBRARY_PATH before Node.js starts`,
  );
}

function good(check: string, detail: string): Finding {
  return { check, ok: true, detail, remedy: "" };
}

function bad(check: string, detail: string, remedy: string): Finding {
  return { check, ok: false, detail, remedy };
}
