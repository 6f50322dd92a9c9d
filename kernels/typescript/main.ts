import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { executorCommand, startFront } from "./front/index.js";

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
  await startFront(connectionFile, executorCommand(values.package));
}

void main(process.argv.slice(2));
