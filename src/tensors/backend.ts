import * as tf from "@tensorflow/tfjs-core";
import "./gradients.js";
import { UserError, messageOf } from "@alignscope/base/errors";
import { BACKENDS, type BackendName, type OpenedBackend } from "./opened.js";
import { memorySize } from "@alignscope/base/size";

/** What was opened, and what `auto` passed over and why. */
export interface BackendDescription extends OpenedBackend {
  passedOver: { backend: BackendName; reason: string }[];
}

/**
 * Opens a tfjs backend and makes it the current one.
 *
 * `auto` takes the first that opens of cuda, native, webgpu (a real GPU only) and wasm. By name, a backend that cannot
 * be opened is an error that says why and what to install.
 *
 * @example
 * const backend = await openBackend("auto");
 * console.log(describeBackend(backend));
 */
export async function openBackend(name: string = "auto"): Promise<BackendDescription> {
  if (name !== "auto") return { ...(await open(backendNamed(name), true)), passedOver: [] };
  const passedOver: BackendDescription["passedOver"] = [];
  for (const backend of BACKENDS) {
    try {
      return { ...(await open(backend, false)), passedOver };
    } catch (error) {
      passedOver.push({ backend, reason: messageOf(error).replace(`${backend}: `, "") });
    }
  }
  throw new UserError(
    `no backend opens: ${passedOver.map(({ backend, reason }) => `${backend}: ${reason}`).join("; ")}`,
  );
}

function backendNamed(name: string): BackendName {
  const known = BACKENDS.find((backend) => backend === name);
  if (!known) throw new UserError(`unknown backend: ${name} (expected one of auto, ${BACKENDS.join(", ")})`);
  return known;
}

// Each backend is loaded when it is wanted: Dawn and libtensorflow are heavy, and may be missing.
async function open(name: BackendName, byName: boolean): Promise<OpenedBackend> {
  switch (name) {
    case "cuda":
    case "native":
      return (await import("./native.js")).openNative(name);
    case "webgpu":
      return (await import("./webgpu/index.js")).openWebgpu({ software: byName });
    case "wasm":
      return (await import("./wasm/open.js")).openWasm();
    case "cpu":
      return openCpu();
  }
}

async function openCpu(): Promise<OpenedBackend> {
  await import("@tensorflow/tfjs-backend-cpu");
  await tf.setBackend("cpu");
  // Its first use prints a banner that recommends tfjs-node.
  Object.assign(tf.backend(), { firstUse: false });
  const notes = ["plain JavaScript: right, and slow"];
  return { backend: "cpu", device: "CPU", blas: null, threads: 1, memoryLimitBytes: null, notes };
}

/** One or two lines: what is open, then what was passed over. */
export function describeBackend(description: BackendDescription): string {
  const { backend, device, blas, threads, memoryLimitBytes, notes, passedOver } = description;
  const parts = [
    device,
    blas,
    threads > 0 ? `${threads} thread${threads === 1 ? "" : "s"}` : null,
    memoryLimitBytes ? `at most ${memorySize(memoryLimitBytes)}` : null,
    ...notes,
  ].filter(Boolean);
  const line = `backend ${backend}: ${parts.join(", ")}`;
  if (passedOver.length === 0) return line;
  return `${line}\npassed over: ${passedOver.map((p) => `${p.backend} (${p.reason})`).join("; ")}`;
}
