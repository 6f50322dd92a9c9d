import type { Check } from "../check.js";
import { note, ok } from "../report.js";
import { attempt } from "../trials/index.js";

/** The library behind the matrix products of the wasm backend. */
export const blasCheck: Check = {
  name: "blas",
  doing: "looking for a BLAS",
  timeout: 9000,
  vital: false,
  run: async ({ host }) => {
    const trial = await attempt<{ name: string; threads: number; file: string }>(host, "try-blas", [], 8000);
    if ("said" in trial) {
      const { name, threads, file } = trial.said;
      const found = `${name} (${file}), ${threads} thread${threads === 1 ? "" : "s"}`;
      return [ok("blas", found, { name, file, threads })];
    }
    const slower = "matrix products on the CPU take several times as long";
    if (host.env["ALIGNSCOPE_BLAS"] === "none") {
      return [note("blas", `none, as ALIGNSCOPE_BLAS=none asks: ${slower}`, "unset ALIGNSCOPE_BLAS")];
    }
    const remedy =
      host.platform === "linux"
        ? "run `apt install libopenblas0-pthread` (Debian, Ubuntu; `dnf install openblas` on Fedora), or name a library with ALIGNSCOPE_BLAS"
        : "install OpenBLAS, or name its library with ALIGNSCOPE_BLAS";
    const why = "refused" in trial ? trial.refused.replace(/^no BLAS: | \([^()]*\)$/g, "") : trial.ended;
    return [note("blas", `none: ${why}; ${slower}`, remedy)];
  },
};
