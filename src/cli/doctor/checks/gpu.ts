import { join } from "node:path";
import type { Check } from "../check.js";
import type { Host } from "../host.js";
import { type Line, note, ok } from "../report.js";

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
