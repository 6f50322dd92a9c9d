import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import { diagnoseCuda, openNative } from "../../src/tensors/native.js";
import { diagnose, diagnosePackage } from "../../src/tensors/native/diagnose.js";
import { readDriver, type CudaDriver } from "../../src/tensors/native/driver.js";
import { prepareEnvironment, restoreUtilHelpers } from "../../src/tensors/native/environment.js";
import { CUDA_LIBRARIES, probeFolder, type CudaProbe } from "../../src/tensors/native/probe.js";

const newFolder = (): string => mkdtempSync(join(tmpdir(), "alignscope-native-"));

const A100: CudaDriver = {
  error: null,
  cuda: [11, 8],
  devices: [{ name: "NVIDIA A100-SXM4-40GB", memoryBytes: 40 * 2 ** 30, capability: [8, 0] }],
};

/** A machine on which the backend opens, but for what is given. */
function machine(but: Partial<CudaProbe> = {}): CudaProbe {
  return {
    platform: "linux",
    arch: "x64",
    package: { name: "@tensorflow/tfjs-node-gpu", folder: "/modules/gpu", addon: true, libtensorflow: true },
    driver: A100,
    libraries: CUDA_LIBRARIES.map((name) => ({ name, error: null })),
    ...but,
  };
}

function withGpu(capability: [number, number]): CudaProbe {
  return machine({
    driver: { error: null, cuda: [12, 4], devices: [{ name: "a GPU", memoryBytes: 2 ** 34, capability }] },
  });
}

function firstWrong(probe: CudaProbe): [string, string, string] | null {
  const wrong = diagnose(probe).find(({ ok }) => !ok);
  return wrong ? [wrong.check, wrong.detail, wrong.remedy] : null;
}

describe("the diagnosis of the CUDA backend", () => {
  test("a machine that has everything: every finding is good, and asks for nothing", () => {
    const findings = diagnose(machine());
    expect(findings.map(({ check }) => check)).toEqual([
      "platform",
      "driver",
      "device",
      "architecture",
      "package",
      "addon",
      "libtensorflow",
      ...CUDA_LIBRARIES,
    ]);
    expect(findings.every(({ ok, remedy }) => ok && remedy === "")).toBe(true);
    expect(findings[2]?.detail).toBe("NVIDIA A100-SXM4-40GB with 40 GiB");
  });

  const { package: installed } = machine();
  const none = { error: "libcuda.so.1: cannot open shared object file", cuda: null, devices: [] };
  test.each<[string, Partial<CudaProbe>, string, RegExp, RegExp]>([
    ["another system", { platform: "darwin", arch: "arm64" }, "platform", /^darwin on arm64/, /webgpu/],
    ["no driver", { driver: none }, "driver", /libcuda\.so\.1: cannot/, /--gpus all.*npm run setup:cuda/],
    [
      "a driver that does not start",
      { driver: { error: "cuInit fails: system not yet initialized (802)", cuda: [12, 2], devices: [] } },
      "driver",
      /for CUDA 12\.2 does not start: cuInit fails/,
      /nvidia-smi/,
    ],
    ["an old driver", { driver: { ...A100, cuda: [10, 2] } }, "driver", /CUDA 10\.2/, /450\.80/],
    ["no GPU", { driver: { ...A100, devices: [] } }, "device", /finds no GPU/, /CUDA_VISIBLE_DEVICES/],
    [
      "no package",
      { package: { ...installed, folder: null } },
      "package",
      /tfjs-node-gpu is not installed/,
      /npm run setup:cuda/,
    ],
    ["no addon", { package: { ...installed, addon: false } }, "addon", /no addon for this/, /\/modules\/gpu/],
    [
      "no libtensorflow",
      { package: { ...installed, libtensorflow: false } },
      "libtensorflow",
      /lacks libtensorflow/,
      /did not finish: remove \/modules\/gpu and run `npm run setup:cuda`/,
    ],
  ])("%s", (_, but, check, detail, remedy) => {
    const wrong = firstWrong(machine(but));
    expect(wrong).toEqual([check, expect.stringMatching(detail), expect.stringMatching(remedy)]);
  });

  test.each(CUDA_LIBRARIES)("a missing %s is named with the package that has it", (name) => {
    const libraries = CUDA_LIBRARIES.map((each) => ({
      name: each,
      error: each === name ? `${name}: cannot open shared object file` : null,
    }));
    const [check, detail, remedy] = firstWrong(machine({ libraries })) as [string, string, string];
    expect([check, detail]).toEqual([name, `${name} does not load: cannot open shared object file`]);
    expect(remedy).toMatch(/pip install "nvidia-[a-z-]+-cu11(==8\.9\.\*)?"` .* LD_LIBRARY_PATH/);
  });

  test.each<[[number, number], boolean, RegExp]>([
    [[3, 0], false, /begins at 3\.5/],
    [[3, 5], true, /compute capability 3\.5$/],
    [[7, 5], true, /compute capability 7\.5$/],
    [[8, 9], true, /compute capability 8\.9$/],
    [[9, 0], true, /half an hour.*ComputeCache/],
    [[10, 0], false, /CUDA 11 goes up to 9\.0/],
    [[12, 0], false, /CUDA 11 goes up to 9\.0/],
  ])("compute capability %s: %s", (capability, ok, detail) => {
    const finding = diagnose(withGpu(capability)).find(({ check }) => check === "architecture");
    expect(finding).toMatchObject({ ok, detail: expect.stringMatching(detail) });
  });

  test("every finding is one line", () => {
    const worst = machine({
      driver: none,
      package: { ...installed, folder: null },
      libraries: CUDA_LIBRARIES.map((name) => ({ name, error: "missing" })),
    });
    for (const { detail, remedy } of diagnose(worst)) expect(`${detail}${remedy}`).not.toContain("\n");
  });

  test("this machine's own findings: each is good, or says what to do", () => {
    const findings = diagnoseCuda();
    expect(findings.length).toBeGreaterThan(0);
    for (const { check, ok, detail, remedy } of findings) {
      expect(check).not.toBe("");
      expect(detail).not.toBe("");
      expect(remedy === "").toBe(ok);
    }
  });
});

describe("an installed package's folder", () => {
  const napi = Number(process.versions["napi"]);
  test.each<[string, string[], { addon: boolean; libtensorflow: boolean }]>([
    ["unpacked only", ["package.json"], { addon: false, libtensorflow: false }],
    [
      "complete",
      ["lib/napi-v8/tfjs_binding.node", "deps/lib/libtensorflow.so.2"],
      { addon: true, libtensorflow: true },
    ],
    ["without its addon", ["deps/lib/libtensorflow.so.2"], { addon: false, libtensorflow: true }],
    [
      "with the framework's library alone",
      ["lib/napi-v8/tfjs_binding.node", "deps/lib/libtensorflow_framework.so.2"],
      { addon: true, libtensorflow: false },
    ],
    [
      "with an addon for a newer Node.js",
      [`lib/napi-v${napi + 1}/tfjs_binding.node`, "deps/lib/libtensorflow.so.2"],
      { addon: false, libtensorflow: true },
    ],
  ])("%s", (_, files, expected) => {
    const folder = newFolder();
    for (const file of files) {
      mkdirSync(join(folder, file, ".."), { recursive: true });
      writeFileSync(join(folder, file), "");
    }
    expect(probeFolder(folder)).toEqual(expected);
  });
});

const noCompiler = spawnSync("cc", ["--version"]).error !== undefined;

describe("the driver", () => {
  test("one that is not there is an error that names it", () => {
    const driver = readDriver("libcuda-of-nowhere.so.1");
    expect(driver).toEqual({
      error: expect.stringMatching(/^libcuda-of-nowhere\.so\.1: /),
      cuda: null,
      devices: [],
    });
  });

  test.skipIf(noCompiler)(
    "is asked for version, names, memory and compute capability (skipped without cc)",
    () => {
      expect(readDriver(standIn({ status: 0, count: 2 }))).toEqual({
        error: null,
        cuda: [12, 2],
        devices: [0, 1].map((i) => ({ name: `GPU ${i}`, memoryBytes: 80 * 2 ** 30, capability: [8 + i, 6] })),
      });
    },
  );

  test.skipIf(noCompiler)("without a GPU has no devices, and no error (skipped without cc)", () => {
    expect(readDriver(standIn({ status: 100, count: 0 }))).toEqual({
      error: null,
      cuda: [12, 2],
      devices: [],
    });
  });

  test.skipIf(noCompiler)("that does not start says why in its own words (skipped without cc)", () => {
    expect(readDriver(standIn({ status: 802, count: 1 }))).toEqual({
      error: "cuInit fails: not ready (802)",
      cuda: [12, 2],
      devices: [],
    });
  });
});

/** A library with the functions of the CUDA driver API, as cuda.h declares them. */
function standIn({ status, count }: { status: number; count: number }): string {
  const folder = newFolder();
  writeFileSync(
    join(folder, "driver.c"),
    `#include <stddef.h>
     #include <stdio.h>
     int cuInit(unsigned int flags) { return flags == 0 ? ${status} : 1; }
     int cuDriverGetVersion(int *version) { *version = 12020; return 0; }
     int cuGetErrorString(int error, const char **text) { *text = "not ready"; return 0; }
     int cuDeviceGetCount(int *count) { *count = ${count}; return 0; }
     int cuDeviceGet(int *device, int ordinal) { *device = 40 + ordinal; return 0; }
     int cuDeviceGetName(char *name, int length, int device) { snprintf(name, length, "GPU %d", device - 40); return 0; }
     int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = (size_t)80 << 30; return 0; }
     int cuDeviceGetAttribute(int *value, int attribute, int device) {
       if (attribute != 75 && attribute != 76) return 1;
       *value = attribute == 75 ? 8 + device - 40 : 6;
       return 0;
     }`,
  );
  execFileSync("cc", ["-shared", "-fPIC", "-o", join(folder, "driver.so"), join(folder, "driver.c")]);
  return join(folder, "driver.so");
}

describe("the environment", () => {
  test("is set for float32 products and modest memory, and the notes say so", () => {
    const environment: NodeJS.ProcessEnv = {};
    expect(prepareEnvironment("cuda", environment)).toEqual([
      "takes GPU memory as it needs it (TF_FORCE_GPU_ALLOW_GROWTH=true)",
      "full float32 products (NVIDIA_TF32_OVERRIDE=0)",
    ]);
    expect(environment).toEqual({
      TF_CPP_MIN_LOG_LEVEL: "2",
      TF_FORCE_GPU_ALLOW_GROWTH: "true",
      NVIDIA_TF32_OVERRIDE: "0",
      CUDA_CACHE_MAXSIZE: "4294967296",
    });
  });

  test("keeps what the user has set, and says so", () => {
    const environment = { NVIDIA_TF32_OVERRIDE: "1", CUDA_CACHE_MAXSIZE: "1" };
    expect(prepareEnvironment("cuda", environment)).toContain("NVIDIA_TF32_OVERRIDE=1");
    expect(environment).toMatchObject({ NVIDIA_TF32_OVERRIDE: "1", CUDA_CACHE_MAXSIZE: "1" });
  });

  test("on the CPU nothing about GPUs is set", () => {
    const environment: NodeJS.ProcessEnv = {};
    expect(prepareEnvironment("native", environment)).toEqual([]);
    expect(environment).toEqual({ TF_CPP_MIN_LOG_LEVEL: "2" });
  });
});

test("the functions of node:util that the native packages call are there on every Node.js", () => {
  const { nodeUtil } = JSON.parse(
    readFileSync(join(import.meta.dirname, "tfjs-node-kernels.json"), "utf8"),
  ) as {
    nodeUtil: string[];
  };
  const later: Record<string, unknown> = { promisify }; // as Node.js 23 and later have it
  restoreUtilHelpers(later);
  for (const name of nodeUtil) expect(later[name], name).toBeTypeOf("function");
  const isNullOrUndefined = later["isNullOrUndefined"] as (value: unknown) => boolean;
  expect([null, undefined, 0, "", false].map(isNullOrUndefined)).toEqual([true, true, false, false, false]);
});

describe("opening", () => {
  afterEach(() => {
    if (tf.findBackend("tensorflow")) tf.removeBackend("tensorflow");
  });

  /** What the package's main file does: it registers a backend that says whether it computes on a GPU. */
  function registering(isUsingGpuDevice: boolean): () => { version: Record<string, string> } {
    return () => {
      const backend = new (class extends tf.KernelBackend {
        isUsingGpuDevice = isUsingGpuDevice;
        override dispose(): void {
          // Holds nothing.
        }
      })();
      tf.registerBackend("tensorflow", () => backend);
      return { version: { "tfjs-node": "4.22.0" } };
    };
  }

  test("on a GPU: device, memory and settings are described", async () => {
    const opened = await openNative("cuda", { probe: () => machine(), load: registering(true) });
    expect(opened).toMatchObject({
      backend: "cuda",
      device: "NVIDIA A100-SXM4-40GB",
      blas: "libtensorflow",
      memoryLimitBytes: 40 * 2 ** 30,
    });
    expect(opened.notes[0]).toBe("tfjs-node 4.22.0");
    expect(opened.notes).toHaveLength(3);
    expect(tf.getBackend()).toBe("tensorflow");
  });

  test("on a Hopper GPU: a note prepares for the first run", async () => {
    const { notes } = await openNative("cuda", { probe: () => withGpu([9, 0]), load: registering(true) });
    expect(notes.at(-1)).toMatch(/^the first run compiles kernels/);
  });

  test("gradients stay ours, though the package brings others", async () => {
    const own = tf.getGradient("Square");
    const theirs = { kernelName: "Square", gradFunc: () => ({}) };
    const load = (): object => {
      tf.registerGradient(theirs);
      return registering(true)();
    };
    await openNative("cuda", { probe: () => machine(), load });
    expect(tf.getGradient("Square")).toBe(own);
  });

  test("the first thing that is wrong is named with its remedy, in one line, and nothing is loaded", async () => {
    const probe = (): CudaProbe => machine({ driver: { error: "gone", cuda: null, devices: [] } });
    const load = (): never => expect.unreachable("the package was loaded");
    await expect(openNative("cuda", { probe, load })).rejects.toThrow(
      /^cuda: no NVIDIA driver: gone \(install the driver, .*npm run setup:cuda`\)$/,
    );
  });

  test("a package that falls back to the CPU is not taken for a GPU", async () => {
    await expect(openNative("cuda", { probe: () => machine(), load: registering(false) })).rejects.toThrow(
      /^cuda: .*takes no GPU.*TF_CPP_MIN_LOG_LEVEL=0/,
    );
  });

  test("a package that does not load says why, on its first line", async () => {
    const load = (): never => {
      throw new Error("undefined symbol: TF_Version\nat …");
    };
    await expect(openNative("cuda", { probe: () => machine(), load })).rejects.toThrow(
      /^cuda: @tensorflow\/tfjs-node-gpu does not load: undefined symbol: TF_Version \(/,
    );
  });

  test("on the CPU only the package matters", async () => {
    const own = { name: "tfjs-node-native", folder: null, addon: false, libtensorflow: false };
    await expect(
      openNative("native", { probe: () => ({ package: own }), load: registering(false) }),
    ).rejects.toThrow(/^native: tfjs-node-native is not installed \(run `npm install .*`\)$/);
    const complete = { ...own, folder: "/modules/native", addon: true, libtensorflow: true };
    expect(diagnosePackage(complete, "").every(({ ok }) => ok)).toBe(true);
    const opened = await openNative("native", {
      probe: () => ({ package: complete }),
      load: registering(false),
    });
    expect(opened).toMatchObject({ backend: "native", device: "CPU", memoryLimitBytes: null });
  });
});
