import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/base/paths.js";

/** Makes tslab, as its own command installs it, the kernel `tslab` of this process. Returns what undoes it. */
export function useStockTslab(folder: string): () => void {
  const before = process.env["JUPYTER_PATH"];
  const at = join(folder, "kernels", "tslab");
  mkdirSync(at, { recursive: true });
  const tslab = join(projectRoot(), "node_modules", "tslab", "bin", "tslab");
  const argv = ["node", tslab, "kernel", "--config-path", "{connection_file}"];
  const spec = { argv, display_name: "tslab", language: "typescript" };
  writeFileSync(join(at, "kernel.json"), JSON.stringify(spec));
  process.env["JUPYTER_PATH"] = folder;
  return () => {
    if (before === undefined) delete process.env["JUPYTER_PATH"];
    else process.env["JUPYTER_PATH"] = before;
  };
}
