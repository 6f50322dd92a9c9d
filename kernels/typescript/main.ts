import { existsSync } from "node:fs";
import { startFront } from "./front/index.js";

/** The kernel `alignscope`, started by kernel.json as `node main.js CONNECTION_FILE`. */
async function main(connectionFile: string | undefined): Promise<void> {
  if (!connectionFile || !existsSync(connectionFile)) {
    const problem = connectionFile ? `no such connection file: ${connectionFile}\n` : "";
    process.stderr.write(`${problem}usage: node main.js CONNECTION_FILE (Jupyter or a runner starts this)\n`);
    process.exitCode = 2;
    return;
  }
  await startFront(connectionFile);
}

void main(process.argv[2]);
