import { startKernel } from "tslab/dist/main.js";
import { endAfterShutdown, endWithParent } from "./lifetime";
import { queueSends } from "./queue-sends";

/**
 * The kernel `alignscope`: tslab, as pinned in this project's package.json, with its worst holes closed. Started by
 * kernel.json as `node main.js CONNECTION_FILE`.
 */
function main(connectionFile: string | undefined): void {
  if (!connectionFile) {
    process.stderr.write("usage: node main.js CONNECTION_FILE (a Jupyter front end or runner starts this)\n");
    process.exitCode = 2;
    return;
  }
  queueSends();
  endAfterShutdown();
  endWithParent();
  // Not the tslab that the working directory may have: this kernel is the pinned one wherever it is started.
  startKernel({ configPath: connectionFile, enableFindLocal: false });
}

main(process.argv[2]);
