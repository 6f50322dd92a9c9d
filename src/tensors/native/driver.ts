import { readFileSync } from "node:fs";
import { messageOf } from "@alignscope/base/errors";
import { openLibrary } from "./library.js";

/** One GPU, as its driver describes it. */
export interface CudaDevice {
  name: string;
  memoryBytes: number;
  /** Compute capability, e.g. [9, 0]. */
  capability: [major: number, minor: number];
}

/** The NVIDIA driver of this machine. */
export interface CudaDriver {
  /** Why it cannot be used; null where it can. */
  error: string | null;
  /** The newest CUDA that it runs, e.g. [12, 2]; null where it cannot be loaded. */
  cuda: [major: number, minor: number] | null;
  /** The GPUs that CUDA_VISIBLE_DEVICES leaves, in CUDA's order. */
  devices: CudaDevice[];
}

/** The driver in words: its version, where Linux tells it, and the newest CUDA that it runs. */
export function describeDriver({ cuda }: Pick<CudaDriver, "cuda">): string {
  let version = "";
  try {
    version = readFileSync("/sys/module/nvidia/version", "utf8").trim();
  } catch {
    // Not Linux, or a driver that does not say.
  }
  return ["NVIDIA", version, cuda ? `(CUDA ${cuda.join(".")})` : ""].filter(Boolean).join(" ");
}

const NO_DEVICE = 100;
const MAJOR = 75;
const MINOR = 76;

/**
 * Asks the CUDA driver API what is there (https://docs.nvidia.com/cuda/cuda-driver-api): no nvidia-smi, no CUDA toolkit.
 *
 * @param path the driver's library, by name or file
 */
export function readDriver(path = "libcuda.so.1"): CudaDriver {
  let cuda: CudaDriver["cuda"] = null;
  try {
    const api = driverApi(path);
    cuda = versionOf(api.integer((out) => api.driverGetVersion(out)));
    const status = api.init(0);
    if (status === NO_DEVICE) return { error: null, cuda, devices: [] };
    api.expectSuccess("cuInit", status);
    const count = api.integer((out) => api.deviceGetCount(out));
    return { error: null, cuda, devices: Array.from({ length: count }, (_, i) => describe(api, i)) };
  } catch (error) {
    return { error: messageOf(error).split("\n")[0] ?? "", cuda, devices: [] };
  }
}

type DriverApi = ReturnType<typeof driverApi>;

function describe(api: DriverApi, ordinal: number): CudaDevice {
  const device = api.integer((out) => api.deviceGet(out, ordinal));
  const name = Buffer.alloc(256);
  api.expectSuccess("cuDeviceGetName", api.deviceGetName(name, name.length, device));
  const attribute = (id: number): number => api.integer((out) => api.deviceGetAttribute(out, id, device));
  return {
    name: name.toString("utf8", 0, name.indexOf(0)),
    memoryBytes: api.integer((out) => api.deviceTotalMem(out, device)),
    capability: [attribute(MAJOR), attribute(MINOR)],
  };
}

/** 12020 is CUDA 12.2. */
function versionOf(number: number): [number, number] {
  return [Math.floor(number / 1000), Math.floor((number % 1000) / 10)];
}

type Out = [number | bigint];

function driverApi(path: string) {
  const library = openLibrary(path);
  const bind = <A extends unknown[]>(prototype: string) =>
    library.func(prototype) as unknown as (...args: A) => number;
  const errorString = bind<[number, [string | null]]>(
    "int cuGetErrorString(int error, _Out_ const char **text)",
  );
  const expectSuccess = (call: string, status: number): void => {
    if (status === 0) return;
    const text: [string | null] = [null];
    errorString(status, text);
    throw new Error(`${call} fails: ${text[0] ?? "unknown error"} (${status})`);
  };
  return {
    expectSuccess,
    /** What a call writes to its first argument. */
    integer(call: (out: Out) => number): number {
      const out: Out = [0];
      expectSuccess("the driver", call(out));
      return Number(out[0]);
    },
    init: bind<[number]>("int cuInit(unsigned int flags)"),
    driverGetVersion: bind<[Out]>("int cuDriverGetVersion(_Out_ int *version)"),
    deviceGetCount: bind<[Out]>("int cuDeviceGetCount(_Out_ int *count)"),
    deviceGet: bind<[Out, number]>("int cuDeviceGet(_Out_ int *device, int ordinal)"),
    deviceGetName: bind<[Buffer, number, number]>("int cuDeviceGetName(void *name, int length, int device)"),
    deviceTotalMem: bind<[Out, number]>("int cuDeviceTotalMem_v2(_Out_ size_t *bytes, int device)"),
    deviceGetAttribute: bind<[Out, number, number]>(
      "int cuDeviceGetAttribute(_Out_ int *value, int attribute, int device)",
    ),
  };
}
