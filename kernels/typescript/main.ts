import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { readPackages } from "./executor/packages.js";
import { executorCommand, startFront } from "./front/index.js";
import { THIS_PACKAGE } from "./install/kernelspec-owner.js";
import { LanguageClient } from "./language/client.js";

const USAGE = "usage: node main.js [--package FOLDER]... CONNECTION_FILE (Jupyter or a runner starts this)\n";

/**
 * The kernel, started by kernel.json as `node main.js CONNECTION_FILE`. `--package FOLDER` offers cells the package in
 * that folder, by its name, wherever the kernel is started.
 */
async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    options: { package: { type: "string", multiple: true, default: [] } },
    allowPositionals: true,
  });
  const [connectionFile] = positionals;
  if (!connectionFile || !existsSync(connectionFile)) {
    const problem = connectionFile ? `no such connection file: ${connectionFile}\n` : "";
    process.stderr.write(`${problem}${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const language = new LanguageClient({
    cwd: process.cwd(),
    globals: join(THIS_PACKAGE.folder, "executor", "cell-globals.d.ts"),
    packages: readPackages(values.package),
  });
  // Optimising TypeScript's larger functions takes 100 MB, which stay with the allocator, and saves no time.
  setFlagsFromString("--max-optimized-bytecode-size=4000");
  // Loaded ahead: the first cell and the first question find it ready, or nearly.
  void language
    .warm()
    .catch(() => undefined)
    // What a compiler makes is soon needless, and V8 would let it become several times what is needed.
    .finally(() => setFlagsFromString("--heap-growing-percent=10"));
  await startFront(connectionFile, executorCommand(values.package), language);
}

void main(process.argv.slice(2));
