import koffi from "koffi";
import { readFileSync } from "node:fs";

/** OpenBLAS' name of the kernels for an instruction set, the best first, and what a processor must have for them. */
const CORES: [core: string, flags: string[]][] = [
  ["SkylakeX", ["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"]],
  ["Haswell", ["avx2", "fma"]],
];

/**
 * Tells OpenBLAS, before it is loaded, which kernels this processor can run. It goes by the processor's model, and one that
 * is younger than the library gets kernels of twenty years ago, at a fifth of the speed. Who sets OPENBLAS_CORETYPE knows
 * better.
 */
export function chooseCoreType(): void {
  if (process.platform !== "linux" || process.arch !== "x64" || process.env["OPENBLAS_CORETYPE"]) return;
  const core = coreFor(flagsHere());
  if (core === undefined) return;
  // Not by `process.env`: in a worker thread that is a copy, of which the library would hear nothing.
  const setenv = koffi
    .load("libc.so.6")
    .func("int setenv(const char *name, const char *value, int overwrite)") as (...args: unknown[]) => number;
  setenv("OPENBLAS_CORETYPE", core, 1);
}

/** @param flags of the processor, as /proc/cpuinfo lists them */
export function coreFor(flags: ReadonlySet<string>): string | undefined {
  return CORES.find(([, needed]) => needed.every((flag) => flags.has(flag)))?.[0];
}

function flagsHere(): Set<string> {
  try {
    const line = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
    return new Set(line.trim().split(/\s+/));
  } catch {
    return new Set();
  }
}
