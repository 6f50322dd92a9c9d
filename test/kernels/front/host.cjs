// Starts the front process with a given executor: node host.cjs CONNECTION_FILE COMMAND_AS_JSON
const { join } = require("node:path");
const { startFront } = require(join(__dirname, "../../../kernels/typescript/dist/front/index.js"));

void startFront(process.argv[2], JSON.parse(process.argv[3]));
