import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { STDERR, type Bundle, type Shown } from "../wire/index.js";
import { textToFront, tellFront } from "./channel.js";
import type { Cells } from "./cells.js";
import type { Comms } from "./comms.js";
import { currentExecution, InterruptedError, StoppedError } from "./interrupts.js";
import type { Inputs } from "./inputs.js";
import { memoryReport } from "./memory-report.js";
import { markShown } from "./shown.js";
import { html, image, latex, markdown, render, svg } from "./render/index.js";

/** The content of Jupyter's display messages, as the library and tslab's display make it. */
interface DisplayContent extends Shown {
  transient?: { display_id?: string };
}

/** Puts `kernel` and `input` where every cell finds them; cell-globals.d.ts tells their types. */
export function installGlobals(cells: Cells, inputs: Inputs, comms: Comms): void {
  const display = (data: Record<string, unknown>, metadata: Record<string, object> = {}): object => {
    const displayId = randomUUID();
    send(encoded(data), metadata, displayId, false);
    return markShown({
      displayId,
      update: (next: Record<string, unknown>, also: Record<string, object> = {}) =>
        send(encoded(next), also, displayId, true),
    });
  };
  const { checkpoint } = cells;
  const kernel = {
    display,
    show(value: unknown): Promise<void> {
      const execution = currentExecution();
      const showing = render(value).then((shown) => {
        if (shown) send(shown.data, shown.metadata, undefined, false, execution);
      });
      execution.showing.push(showing);
      return markShown(showing);
    },
    stop(reason = ""): never {
      currentExecution().stopped = reason;
      process.stdout.write(`Stopped${reason === "" ? "" : `: ${reason}`}\n`);
      throw new StoppedError(reason);
    },
    clearOutput(wait = false): void {
      tellFront({ type: "clear", execution: currentExecution().id, wait });
    },
    memory: () => memoryReport(cells.tensors),
    checkpoint,
    comms,
    html,
    markdown,
    latex,
    svg,
    image,
  };
  Object.defineProperties(globalThis, {
    kernel: { value: kernel, configurable: true, writable: true },
    input: {
      value: (prompt = "", options: { password?: boolean } = {}) =>
        inputs.ask(prompt, options.password ?? false),
      configurable: true,
      writable: true,
    },
    // The library's way to the notebook, and the place where its loops ask whether to go on.
    [Symbol.for("ts-jupyter-kernel.display")]: { value: sink },
    [Symbol.for("ts-jupyter-kernel.checkpoint")]: { value: checkpoint },
  });
}

/** tslab's own display functions lead to the front as well. To be called when a cell imports tslab. */
export function connectTslabDisplay(): void {
  const server = createRequire(import.meta.url)("tslab/dist/jupyter.js") as { lastWriteDisplayData: unknown };
  server.lastWriteDisplayData = sink;
}

function sink({ data, metadata, transient }: DisplayContent, update: boolean): void {
  send(data, metadata ?? {}, transient?.display_id, update);
}

function send(
  data: Bundle,
  metadata: object,
  displayId: string | undefined,
  update: boolean,
  { id, silent } = currentExecution(),
): void {
  if (silent) return;
  tellFront({
    type: "display",
    execution: id,
    update,
    data,
    metadata: metadata as Shown["metadata"],
    ...(displayId === undefined ? {} : { displayId }),
  });
}

/** Bytes travel as base64. */
function encoded(data: Record<string, unknown>): Bundle {
  const entries = Object.entries(data).map(([type, value]) => [
    type,
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  ]);
  return Object.fromEntries(entries) as Bundle;
}

/** Errors that no cell waits for any more are printed where their cell prints. */
export function reportStrays(cells: Cells): void {
  const report = (kind: string) => (error: unknown) => {
    if (error instanceof InterruptedError) return;
    const text = `${kind}: ${cells.errors.text(error)}\n`;
    textToFront(STDERR, currentExecution().id, Buffer.from(text));
  };
  process.on("uncaughtException", report("Uncaught exception"));
  process.on("unhandledRejection", report("Unhandled rejection"));
}
