import { join } from "node:path";
import { THIS_PACKAGE } from "../install/kernelspec-owner.js";
import type { ToExecutor } from "../wire/index.js";
import { Cells } from "./cells.js";
import { hearFront, tellFront } from "./channel.js";
import { CellCompiler } from "./compiler/cell-compiler.js";
import { complete, completeness, hover } from "./completion.js";
import { Comms } from "./comms.js";
import { begin, Execution, interrupt } from "./execution.js";
import { connectTslabDisplay, installGlobals, reportStrays } from "./globals.js";
import { Inputs } from "./inputs.js";
import { holdLifeline } from "./lifeline.js";
import { readPackages } from "./packages.js";
import { captureStreams } from "./streams.js";

/*
 * The process that runs the cells. Started by the front process, which it hears and answers on pipes; see ../wire.
 */

/** An error's stack leads through the library back to the cell. */
const STACK_FRAMES = 40;

const GLOBALS = join(THIS_PACKAGE.folder, "executor", "cell-globals.d.ts");

const lifeline = holdLifeline({
  interrupted: interruptCell,
  terminated: (execution) => {
    if (cells.running?.id === execution) cells.running.terminated();
  },
});
captureStreams();
const packages = readPackages(process.argv.slice(2));
const compiler = new CellCompiler(process.cwd(), GLOBALS, packages);
const cells = new Cells(compiler, lifeline, packages, connectTslabDisplay);
const inputs = new Inputs();
const comms = new Comms();
installGlobals(cells, inputs, comms);
reportStrays(cells);
Error.stackTraceLimit = STACK_FRAMES;

// The front interrupts by its lifeline. Who sends the signal by hand shall not end the process.
process.on("SIGINT", () => undefined);

let last: Promise<void> = Promise.resolve();

hearFront((message) => {
  if (message.type === "input-reply") inputs.answer(message.input, message.value);
  else
    last = last
      .then(() => handle(message))
      .catch((error: unknown) => void process.stderr.write(`${String(error)}\n`));
});
giveMemoryBack();
tellFront({ type: "ready" });

/** Ends what the cell awaits; what it computes has ended, or this would not be heard. */
function interruptCell(execution: number): void {
  if (cells.running?.id !== execution) return; // It is over.
  interrupt(cells.running);
  cells.executor.interrupt();
}

async function handle(message: Exclude<ToExecutor, { type: "input-reply" }>): Promise<void> {
  switch (message.type) {
    case "execute":
      await cells.run(message);
      return;
    case "complete":
      return answer(
        { matches: [], kinds: [], start: message.position, end: message.position },
        (found) => tellFront({ type: "completions", request: message.request, ...found }),
        () => complete(cells.executor, message.code, message.position),
      );
    case "inspect": {
      return answer(
        undefined,
        (data) => tellFront({ type: "inspection", request: message.request, ...(data ? { data } : {}) }),
        () => hover(cells.executor, message.code, message.position),
      );
    }
    case "is-complete":
      tellFront({
        type: "completeness",
        request: message.request,
        ...completeness(compiler.ts, message.code),
      });
      return;
    default:
      begin(new Execution(message.execution, false, false));
      comms.hear(message);
  }
}

/** The compiler's services are asked about unfinished code, and may not be up to it: then there is nothing to say. */
function answer<T>(nothing: T, tell: (found: T) => void, ask: () => T): void {
  let found = nothing;
  try {
    found = ask();
  } catch {
    // Nothing is known.
  }
  tell(found);
}

/** Loading the compiler leaves much garbage behind, which V8 would keep until memory is short. */
function giveMemoryBack(): void {
  globalThis.gc?.();
}
