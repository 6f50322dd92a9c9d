// Starts the front process with a given executor: node host.cjs CONNECTION_FILE COMMAND_AS_JSON
const { join } = require("node:path");
const { startFront } = require(join(__dirname, "../../../kernels/typescript/dist/front/index.js"));

// A compiler that lets all code be as it is, and knows one word, which begins at the last dot or at the beginning.
const language = {
  compile: async (code) => ({ ok: true, cell: { script: { code, maps: [] } } }),
  settled() {},
  forget() {},
  reset() {},
  localFile: async () => undefined,
  async complete(code, position) {
    const start = Math.max(code.lastIndexOf(".", position - 1), -1) + 1;
    return { matches: ["word"], kinds: ["const"], start, end: position };
  },
  hover: async (code, position) => (code ? { "text/plain": code.slice(0, position) } : undefined),
  completeness: async (code) =>
    code.endsWith("{")
      ? { status: "incomplete", indent: "  " }
      : { status: code === ")" ? "invalid" : "complete" },
};

void startFront(process.argv[2], JSON.parse(process.argv[3]), language);
