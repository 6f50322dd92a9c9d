import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { readPackages } from "./executor/packages.js";
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
  language.start();
  // The front is loaded beside it.
  const { executorCommand, startFront } = await import("./front/index.js");
  await startFront(connectionFile, executorCommand(values.package), language);
}

void main(process.argv.slice(2));
