import { existsSync } from "node:fs";
import { narrowAutomaticTypes } from "./automatic-types";
import { readOnceBound } from "./bind-first";
import { endAfterShutdown, endWithParent } from "./lifetime";
import { queueSends } from "./queue-sends";
import { watchSourcesOnly } from "./watching";

/**
 * The kernel `alignscope`: tslab, as pinned in this project's package.json, with its worst holes closed. Started by
 * kernel.json as `node main.js CONNECTION_FILE`.
 */
async function main(connectionFile: string | undefined): Promise<void> {
  if (!connectionFile || !existsSync(connectionFile)) {
    const problem = connectionFile ? `no such connection file: ${connectionFile}\n` : "";
    process.stderr.write(`${problem}usage: node main.js CONNECTION_FILE (Jupyter or a runner starts this)\n`);
    process.exitCode = 2;
    return;
  }
  endWithParent();
  queueSends();
  readOnceBound();
  watchSourcesOnly();
  narrowAutomaticTypes();
  const { startKernel } = await import("tslab/dist/main.js");
  const { ZmqServer } = await import("tslab/dist/jupyter.js");
  endAfterShutdown(ZmqServer);
  // Not the tslab that the working directory may have: this kernel is the pinned one wherever it is started.
  startKernel({ configPath: connectionFile, enableFindLocal: false });
}

void main(process.argv[2]);
