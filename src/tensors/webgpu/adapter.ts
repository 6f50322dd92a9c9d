import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import koffi from "koffi";
import { UserError, messageOf } from "@alignscope/base/errors";

/*
 * Which GPU computes: Dawn's adapter. Drivers are looked for here first, since without one Dawn explains itself at length
 * on standard error.
 */

interface Dawn {
  create(options: string[]): GPU;
  globals: Record<string, unknown>;
}

/** An adapter with the Dawn instance it belongs to, which has to outlive every device of it. */
export interface Adapter {
  gpu: GPU;
  adapter: GPUAdapter;
  software: boolean;
  /** Things worth knowing about how it was found. */
  notes: string[];
}

/** Environment variable: a part of an adapter's vendor, device or description, or its number in the list. */
const CHOICE = "ALIGNSCOPE_GPU_ADAPTER";
/** Environment variable: more of Dawn's options, separated by blanks (`enable-dawn-features=dump_shaders`). */
const OPTIONS = "ALIGNSCOPE_DAWN_OPTIONS";

/**
 * Workgroup memory is zeroed by a loop rather than by a Vulkan extension: on a GPU that is the same few stores, while
 * SwiftShader compiles a kernel with the extension ten times as long.
 */
const ZERO_BY_LOOP = "disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension";

/** The software driver that Debian's chromium and Google's Chrome bring along. */
const SWIFTSHADERS = ["/usr/lib/chromium", "/opt/google/chrome"].map((folder) =>
  join(folder, "vk_swiftshader_icd.json"),
);

/**
 * Dawn instances, kept for the life of the process: a device whose instance was collected takes the process down with
 * it. They do not keep Node from ending.
 */
const instances: GPU[] = [];

/**
 * Finds the adapter: the one that ALIGNSCOPE_GPU_ADAPTER names, else the fastest.
 *
 * @param software whether an adapter that computes on the CPU (SwiftShader) will do; then the one beside
 *   chromium or Chrome is found without being named in the environment. Right for checking kernels, far too slow for work.
 * @throws UserError when Dawn, a driver or the adapter is missing
 */
export async function findAdapter(software: boolean): Promise<Adapter> {
  const notes = process.platform === "linux" ? findVulkan(software) : [];
  const dawn = await loadDawn();
  const wanted = process.env[CHOICE];
  const found = wanted ? await chosenAdapter(dawn, wanted) : await fastestAdapter(dawn);
  const { info } = found.adapter;
  const isSoftware =
    info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|software/i.test(wordsOf(info).join(" "));
  if (isSoftware && !software) {
    throw new UserError(
      `webgpu: only a software adapter (${info.description || info.device}), no GPU: install the GPU's Vulkan driver`,
    );
  }
  if (isSoftware) notes.push("software adapter: for checking only");
  return { ...found, software: isSoftware, notes };
}

/** An adapter in words: vendor, architecture, description. */
export function describeAdapter(info: GPUAdapterInfo): string {
  return [info.vendor, info.architecture, info.description || info.device].filter(Boolean).join(" ") || "GPU";
}

function wordsOf(info: GPUAdapterInfo): string[] {
  return [info.vendor, info.architecture, info.device, info.description];
}

type Found = Pick<Adapter, "gpu" | "adapter">;

async function fastestAdapter(dawn: Dawn): Promise<Found> {
  const gpu = createInstance(dawn);
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter)
    throw new UserError(
      "webgpu: no adapter found: install the GPU's Vulkan driver (on macOS and Windows: a current system)",
    );
  return { gpu, adapter };
}

async function chosenAdapter(dawn: Dawn, wanted: string): Promise<Found> {
  const names = await adapterNames(dawn);
  const found: (Found & { words: string })[] = [];
  for (const name of names) {
    const gpu = createInstance(dawn, `adapter=${name}`);
    const adapter = await gpu.requestAdapter();
    if (adapter) found.push({ gpu, adapter, words: [name, ...wordsOf(adapter.info)].join(" ") });
  }
  const chosen = /^\d+$/.test(wanted)
    ? found[Number(wanted)]
    : found.find(({ words }) => words.toLowerCase().includes(wanted.toLowerCase()));
  if (chosen) return chosen;
  const list = found.map(({ words }, index) => `${index}: ${words}`).join("; ") || "none";
  throw new UserError(
    `webgpu: no adapter matches ${CHOICE}=${wanted} (expected a part of a name, or a number, of: ${list})`,
  );
}

/** The names of all adapters; Dawn tells them only to whoever asks for one that is not there. */
async function adapterNames(dawn: Dawn): Promise<string[]> {
  try {
    await createInstance(dawn, "adapter=(the list, please)").requestAdapter();
  } catch (error) {
    return [...new Set([...messageOf(error).matchAll(/name: '([^']*)'/g)].map(([, name]) => name ?? ""))];
  }
  return [];
}

function createInstance(dawn: Dawn, ...options: string[]): GPU {
  const backend = process.platform === "linux" ? ["backend=vulkan", ZERO_BY_LOOP] : [];
  const more = process.env[OPTIONS]?.split(/\s+/).filter(Boolean) ?? [];
  const gpu = dawn.create([...backend, ...options, ...more]);
  instances.push(gpu);
  return gpu;
}

async function loadDawn(): Promise<Dawn> {
  try {
    const dawn = (await import("webgpu")) as unknown as Dawn;
    // The backend looks for WebGPU's classes and constants where a browser has them.
    Object.assign(globalThis, dawn.globals);
    return dawn;
  } catch (error) {
    throw new UserError(
      `webgpu: Dawn does not load: ${messageOf(error).split("\n")[0]} (npm install webgpu)`,
    );
  }
}

/** Makes sure that the Vulkan loader will find a driver. */
function findVulkan(software: boolean): string[] {
  try {
    koffi.load("libvulkan.so.1");
  } catch {
    throw new UserError("webgpu: no Vulkan loader: install libvulkan1 and the GPU's driver");
  }
  const { env } = process;
  if (env["VK_DRIVER_FILES"] ?? env["VK_ICD_FILENAMES"] ?? env["VK_ADD_DRIVER_FILES"]) return [];
  if (driverManifests().length > 0) return [];
  const swiftshader = SWIFTSHADERS.find((path) => existsSync(path));
  if (software && swiftshader) {
    env["VK_DRIVER_FILES"] = swiftshader;
    env["VK_ICD_FILENAMES"] = swiftshader;
    return ["no Vulkan driver installed: chromium's SwiftShader"];
  }
  throw new UserError(
    "webgpu: no Vulkan driver: install the GPU's (in an NVIDIA container: NVIDIA_DRIVER_CAPABILITIES=all)",
  );
}

/** Where the Vulkan loader looks for drivers on Linux. */
function driverManifests(): string[] {
  const { env } = process;
  const roots = [
    env["XDG_CONFIG_HOME"] ?? join(homedir(), ".config"),
    ...(env["XDG_CONFIG_DIRS"] ?? "/etc/xdg").split(delimiter),
    "/etc",
    env["XDG_DATA_HOME"] ?? join(homedir(), ".local/share"),
    ...(env["XDG_DATA_DIRS"] ?? "/usr/local/share:/usr/share").split(delimiter),
  ];
  return roots.flatMap((root) => {
    const folder = join(root, "vulkan/icd.d");
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => join(folder, name));
  });
}
