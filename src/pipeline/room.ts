import { spawnSync } from "node:child_process";
import { totalmem } from "node:os";
import { size } from "@alignscope/base/size";
import type { Profile } from "./profile.js";

/** Resident besides tensors, in bytes: the runner, the kernel's two processes, their code and the garbage collector's room. */
export const PROCESSES_BYTES = 900e6;

/** A backend that opened, as it describes itself. */
interface OpenedBackend {
  backend: string;
  /** The most that its tensors can take, in bytes, where it knows. */
  memoryLimitBytes: number | null;
}

/** Bytes of this machine's memory, or of the container's share of it. */
export function hostMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** The largest NVIDIA GPU's memory, in bytes; undefined where the driver's tools are not there. */
function gpuMemory(): number | undefined {
  const query = ["--query-gpu=memory.total", "--format=csv,noheader,nounits"];
  const { status, stdout } = spawnSync("nvidia-smi", query, { encoding: "utf8", timeout: 5000 });
  const mebibytes = status === 0 ? Math.max(...stdout.trim().split("\n").map(Number)) : Number.NaN;
  return Number.isFinite(mebibytes) ? mebibytes * 2 ** 20 : undefined;
}

/** Bytes that tensors can take on a backend here; undefined where nobody knows. */
export function roomOn({ backend, memoryLimitBytes }: OpenedBackend): number | undefined {
  if (backend === "cuda") return memoryLimitBytes ?? gpuMemory();
  if (backend === "webgpu") return gpuMemory();
  return Math.min(memoryLimitBytes ?? Infinity, Math.max(0, hostMemory() - PROCESSES_BYTES));
}

/**
 * What is amiss, in one line, where a profile's tensors do not fit on a backend.
 *
 * @param room as {@link roomOn} has it
 */
export function shortage(
  { name, memory }: Profile,
  { backend }: Pick<OpenedBackend, "backend">,
  room: number | undefined,
): string | undefined {
  if (!memory || room === undefined || memory.bytes <= room) return undefined;
  return (
    `the profile ${name} takes ${size(memory.bytes)} of tensors (${memory.source}), and ${backend} has ${size(room)} here: ` +
    "choose another backend (--backend), smaller batches (-p; `npx alignscope plan` lists them) or single notebooks (--only)"
  );
}
