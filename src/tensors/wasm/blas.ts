import koffi from "koffi";
import { readFileSync } from "node:fs";
import { messageOf } from "../../data/errors";

/** One row-major float32 matrix product `C = op(A)·op(B) + beta·C` of a system BLAS. */
export type Sgemm = (
  transposeA: boolean,
  transposeB: boolean,
  m: number,
  n: number,
  k: number,
  a: Float32Array,
  lda: number,
  b: Float32Array,
  ldb: number,
  beta: number,
  c: Float32Array,
  ldc: number,
) => void;

/** A BLAS found on this machine. */
export interface Blas {
  /** What it is, in words, e.g. `OpenBLAS 0.3.21 SkylakeX`. */
  readonly name: string;
  /** The library's file, a whole path where the system tells. */
  readonly file: string;
  readonly threads: number;
  readonly sgemm: Sgemm;
}

// CBLAS enumerations, part of its binary interface.
const ROW_MAJOR = 101;
const NO_TRANSPOSE = 111;
const TRANSPOSE = 112;

const CANDIDATES: Partial<Record<NodeJS.Platform, string[]>> = {
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

let found: { blas: Blas | null; reason: string } | undefined;

/**
 * The system's BLAS, loaded once, or the reason why there is none. ALIGNSCOPE_BLAS names a library file, or `none` to do
 * without. The number of threads is the library's own (OPENBLAS_NUM_THREADS limits it).
 */
export function findBlas(): { blas: Blas | null; reason: string } {
  return (found ??= search());
}

function search(): { blas: Blas | null; reason: string } {
  const named = process.env["ALIGNSCOPE_BLAS"];
  if (named === "none") return { blas: null, reason: "ALIGNSCOPE_BLAS=none" };
  const candidates = named ? [named] : (CANDIDATES[process.platform] ?? []);
  const refusals: string[] = [];
  for (const path of candidates) {
    try {
      return { blas: open(path), reason: "" };
    } catch (error) {
      refusals.push(messageOf(error).split("\n")[0] ?? "");
    }
  }
  const remedy = process.platform === "linux" ? "apt-get install libopenblas0-pthread" : "install OpenBLAS";
  const reason = named ? refusals.join("; ") : `none of ${candidates.length} known libraries found`;
  return { blas: null, reason: `no BLAS: ${reason} (${remedy})` };
}

function open(path: string): Blas {
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
  return { ...identify(library, path), file: loadedFile(path), sgemm };
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
    const words = config.split(/\s+/).filter((word) => word && !/^[A-Z_]+(=\d+)?$/.test(word));
    return { name: words.join(" "), threads };
  } catch {
    const name = path.includes("Accelerate") ? "Accelerate" : (path.split("/").pop() ?? path);
    return { name, threads: 1 };
  }
}
