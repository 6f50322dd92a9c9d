import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { UserError, messageOf } from "@alignscope/base/errors";
import type { OpenedBackend } from "./opened.js";
import { registerGradients } from "./gradients.js";
import { diagnose, diagnosePackage, firstUseNotes, type Finding } from "./native/diagnose.js";
import { describeDriver } from "./native/driver.js";
import { prepareEnvironment, restoreUtilHelpers } from "./native/environment.js";
import { probeCuda, probePackage, type CudaProbe } from "./native/probe.js";

/**
 * The packages that bind libtensorflow: on a GPU host, and on the CPU. The latter goes by an alias: under its own name
 * package.json gives danfojs-node another package, and npm would refuse to install both.
 */
export const NATIVE_PACKAGES = { cuda: "@tensorflow/tfjs-node-gpu", native: "tfjs-node-native" } as const;

const INSTALL_NATIVE = "run `npm install --no-save tfjs-node-native@npm:@tensorflow/tfjs-node@4.22.0`";

/** What opening a native backend needs of the machine. */
export interface NativeHost {
  probe: () => Pick<CudaProbe, "package"> | CudaProbe;
  /** Loads the package, which registers the backend `tensorflow`. */
  load: () => { version?: Record<string, string> };
}

/**
 * Opens libtensorflow through tfjs-node(-gpu), which the default install leaves out.
 *
 * @throws UserError that names the first thing that is missing and what mends it
 */
export async function openNative(
  backend: "cuda" | "native",
  host: NativeHost = hostOf(backend),
): Promise<OpenedBackend> {
  const notes = prepareEnvironment(backend);
  const probe = host.probe();
  const findings = "driver" in probe ? diagnose(probe) : diagnosePackage(probe.package, INSTALL_NATIVE);
  const wrong = findings.find(({ ok }) => !ok);
  if (wrong) throw new UserError(`${backend}: ${wrong.detail} (${wrong.remedy})`);
  const { name } = probe.package;
  let version: string | undefined;
  try {
    restoreUtilHelpers();
    version = host.load().version?.["tfjs-node"];
  } catch (error) {
    const reason = messageOf(error).split("\n")[0] ?? "";
    throw new UserError(`${backend}: ${name} does not load: ${reason} (remove it and install it again)`);
  }
  // The package brings tfjs' own gradients; with ours, a gradient is the same computation on every backend.
  registerGradients();
  await tf.setBackend("tensorflow");
  const { isUsingGpuDevice } = tf.backend() as unknown as { isUsingGpuDevice?: boolean };
  if (backend === "cuda" && !isUsingGpuDevice) {
    throw new UserError(
      `cuda: ${name} loads but takes no GPU, though driver and libraries are there (set TF_CPP_MIN_LOG_LEVEL=0 and run again: libtensorflow then says why)`,
    );
  }
  const gpu = "driver" in probe ? probe.driver.devices[0] : undefined;
  return {
    backend,
    device: gpu?.name ?? "CPU",
    ...("driver" in probe ? { driver: describeDriver(probe.driver) } : {}),
    blas: "libtensorflow",
    threads: 0,
    memoryLimitBytes: gpu?.memoryBytes ?? null,
    notes: [
      ...(version ? [`tfjs-node ${version}`] : []),
      ...notes,
      ...(gpu ? firstUseNotes(gpu.capability) : []),
    ],
  };
}

/** What stands between this machine and the CUDA backend; nothing of the package is loaded. */
export function diagnoseCuda(): Finding[] {
  prepareEnvironment("cuda"); // the driver reads its part when it is first asked
  return diagnose(probeCuda(NATIVE_PACKAGES.cuda));
}

function hostOf(backend: "cuda" | "native"): NativeHost {
  const name = NATIVE_PACKAGES[backend];
  return {
    probe: () => (backend === "cuda" ? probeCuda(name) : { package: probePackage(name) }),
    load: () => createRequire(import.meta.url)(name) as ReturnType<NativeHost["load"]>,
  };
}
