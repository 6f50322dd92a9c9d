import type { ToExecutor } from "../wire/index.js";
import { Cells } from "./cells.js";
import { hearFront, tellFront } from "./channel.js";
import { wrapWaits } from "./children.js";
import { Comms } from "./comms.js";
import { connectTslabDisplay, installGlobals, reportStrays } from "./globals.js";
import { Inputs } from "./inputs.js";
import { Imports } from "./imports.js";
import { begin, Execution } from "./interrupts.js";
import { holdLifeline } from "./lifeline.js";
import { Modules } from "./modules.js";
import { readPackages } from "./packages.js";
import { Places } from "./places.js";
import { captureStreams } from "./streams.js";
import { keepTimersApart } from "./timers.js";

/*
 * The process that runs the cells. Started by the front process, which compiles them, and which it hears and answers on
 * pipes; see ../wire.
 */

/** An error's stack leads through the library back to the cell. */
const STACK_FRAMES = 40;

const cwd = process.cwd();
const imports = new Imports();
const places = new Places();
const modules = new Modules({
  cwd,
  packages: readPackages(process.argv.slice(2)),
  places,
  onTslab: connectTslabDisplay,
  find: (specifier, from) => imports.ask(specifier, from),
});
const lifeline = holdLifeline(
  {
    interrupted: (execution) => cells.interrupt(execution),
    terminated: (execution) => cells.kill(execution),
  },
  (path) => modules.has(path),
);
captureStreams();
const cells = new Cells(cwd, modules, places, lifeline);
const inputs = new Inputs();
const comms = new Comms();
installGlobals(cells, inputs, comms);
reportStrays(cells);
keepTimersApart();
wrapWaits((work) => {
  try {
    return lifeline.wait(work);
  } finally {
    cells.checkpoint();
  }
});
cells.errors.tellStacks();
Error.stackTraceLimit = STACK_FRAMES;

// The front interrupts by its lifeline. Who sends the signal by hand shall not end the process.
process.on("SIGINT", () => undefined);

let last: Promise<void> = Promise.resolve();

hearFront((message) => {
  if (message.type === "input-reply") inputs.answer(message.input, message.value);
  else if (message.type === "import-reply") imports.answer(message.request, message.file);
  else
    last = last
      .then(() => handle(message))
      .catch((error: unknown) => void process.stderr.write(`${String(error)}\n`));
});
tellFront({ type: "ready" });

async function handle(message: Exclude<ToExecutor, { type: "input-reply" | "import-reply" }>): Promise<void> {
  switch (message.type) {
    case "execute":
      await cells.run(message);
      return;
    case "ping":
      tellFront({ type: "pong", request: message.request });
      return;
    default:
      begin(new Execution(message.execution, false, false));
      comms.hear(message);
  }
}
