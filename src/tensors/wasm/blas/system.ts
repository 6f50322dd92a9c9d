import koffi from "koffi";
import { readFileSync } from "node:fs";
import { chooseCoreType } from "./core-type.js";
import type { Blas, Sgemm } from "./blas.js";

// CBLAS enumerations, part of its binary interface.
const ROW_MAJOR = 101;
const NO_TRANSPOSE = 111;
const TRANSPOSE = 112;

/** Where a BLAS is looked for. */
export const CANDIDATES: Partial<Record<NodeJS.Platform, string[]>> = {
  linux: [
    "libopenblas.so.0",
    "libopenblas.so",
    "libopenblasp.so.0",
    "/usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblas.so.0",
    "/usr/lib/aarch64-linux-gnu/openblas-pthread/libopenblas.so.0",
    "libmkl_rt.so.2",
    "libblis.so.4",
  ],
  darwin: ["/System/Library/Frameworks/Accelerate.framework/Accelerate"],
  win32: ["libopenblas.dll", "openblas.dll"],
};

/** Loads a library with the C interface of BLAS. */
export function openSystemBlas(path: string): Blas {
  chooseCoreType();
  const library = koffi.load(path);
  const cblas = library.func(
    "void cblas_sgemm(int order, int transA, int transB, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc)",
  ) as (...args: unknown[]) => void;
  const sgemm: Sgemm = (ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc) => {
    cblas(
      ROW_MAJOR,
      ta ? TRANSPOSE : NO_TRANSPOSE,
      tb ? TRANSPOSE : NO_TRANSPOSE,
      m,
      n,
      k,
      1,
      a,
      lda,
      b,
      ldb,
      beta,
      c,
      ldc,
    );
  };
  return { ...identify(library, path), file: loadedFile(path), sgemm, worthACall: 0 };
}

/** Where the loader found a library, as Linux lists what a process has mapped. */
function loadedFile(path: string): string {
  if (process.platform !== "linux" || path.startsWith("/")) return path;
  try {
    const stem = path.replace(/\.so.*$/, "");
    const mapped = readFileSync("/proc/self/maps", "utf8").split("\n");
    const line = mapped.find((text) => (text.split("/").at(-1) ?? "").startsWith(stem));
    return line === undefined ? path : line.slice(line.indexOf("/"));
  } catch {
    return path;
  }
}

/** OpenBLAS says its version and threads; others are known by their file name alone. */
function identify(library: ReturnType<typeof koffi.load>, path: string): { name: string; threads: number } {
  try {
    const config = (library.func("const char *openblas_get_config()") as () => string)();
    const threads = (library.func("int openblas_get_num_threads()") as () => number)();
    const core = (library.func("const char *openblas_get_corename()") as () => string)();
    const version = /^OpenBLAS\s+(\S+)/.exec(config)?.[1];
    return { name: ["OpenBLAS", version, core].filter(Boolean).join(" "), threads };
  } catch {
    const name = path.includes("Accelerate") ? "Accelerate" : (path.split("/").pop() ?? path);
    return { name, threads: 1 };
  }
}
