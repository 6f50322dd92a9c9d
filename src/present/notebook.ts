import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { inspect } from "node:util";

// How things reach the reader: as display messages when this code runs inside a notebook kernel, as text otherwise.

/** Representations of one thing by MIME type: text, JSON or bytes. */
export type MimeBundle = Record<string, string | object | Uint8Array>;

/** A bundle and what clients should know about its parts, e.g. `{ "image/png": { width: 600 } }`. */
export interface MimeOutput {
  data: MimeBundle;
  metadata?: Record<string, object>;
}

/** Anything that knows how to show itself. */
export interface Presentable {
  mimeBundle(): MimeOutput | Promise<MimeOutput>;
}

/** Under this type a notebook says what it computes on, `{ model, backend }`: clients pass over it, a run's manifest keeps it. */
export const STUDY_MIME = "application/vnd.alignscope.study+json";

/** Under this key an output's metadata say which figure or table it is, for pages that show its files beside it. */
export const EXHIBIT_KEY = "alignscope";

/** What stands under {@link EXHIBIT_KEY}: one of the two, by the name that its files have. */
export interface ExhibitMark {
  figure?: string;
  table?: string;
}

/** The content of Jupyter's display_data and update_display_data messages. */
export interface DisplayContent {
  data: Record<string, string | object>;
  metadata: Record<string, object>;
  transient: { display_id?: string };
}

/** Sends one display message; `update` replaces what an earlier message with the same display_id shows. */
export type DisplaySink = (content: DisplayContent, update: boolean) => void;

/**
 * A kernel that is not tslab's own server offers its display channel under this key of globalThis:
 * `globalThis[Symbol.for("ts-jupyter-kernel.display")] = (content, update) => …`.
 */
export const displaySinkKey: symbol = Symbol.for("ts-jupyter-kernel.display");

/**
 * A kernel that can interrupt a cell whose code has gone on after an `await` offers under this key of globalThis a function
 * that throws once it has.
 */
const checkpointKey: symbol = Symbol.for("ts-jupyter-kernel.checkpoint");

/** Ends a long job, by an error, when the cell that runs it was interrupted; does nothing outside of such a kernel. */
export function stopIfInterrupted(): void {
  const offered: unknown = Reflect.get(globalThis, checkpointKey);
  if (typeof offered === "function") (offered as () => void)();
}

interface TslabServer {
  lastWriteDisplayData?: DisplaySink | null;
}

/**
 * tslab's display channel, if this process is its kernel. Looked up among the loaded modules, never loaded: outside the
 * kernel nobody should wait for its compiler. tslab's public API sends one MIME type a message and no metadata; the
 * function under it takes a whole bundle.
 */
function tslabSink(): DisplaySink | undefined {
  const { cache } = createRequire(import.meta.url);
  for (const [path, loaded] of Object.entries(cache)) {
    if (/[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(path)) {
      return (loaded?.exports as TslabServer | undefined)?.lastWriteDisplayData ?? undefined;
    }
  }
  return undefined;
}

/** The way to the notebook's client, undefined outside a kernel. Asked anew each time: tslab's changes with each cell. */
function displaySink(): DisplaySink | undefined {
  const offered: unknown = Reflect.get(globalThis, displaySinkKey);
  return typeof offered === "function" ? (offered as DisplaySink) : tslabSink();
}

/** Whether this code runs inside a notebook kernel. */
export function inNotebook(): boolean {
  return displaySink() !== undefined;
}

function content({ data, metadata = {} }: MimeOutput, id?: string): DisplayContent {
  const encoded = Object.entries(data).map(([type, value]): [string, string | object] => [
    type,
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  ]);
  return {
    data: Object.fromEntries(encoded),
    metadata,
    transient: id === undefined ? {} : { display_id: id },
  };
}

function plainText(data: MimeBundle): string {
  const text = data["text/plain"] ?? data["text/markdown"];
  return typeof text === "string" ? text : `[${Object.keys(data).join(", ") || "nothing to show"}]`;
}

/** Shows representations of one thing: the client picks the richest it knows; outside a kernel text/plain is printed. */
export function display(data: MimeBundle, metadata?: Record<string, object>): void {
  const sink = displaySink();
  if (sink) sink(content(metadata ? { data, metadata } : { data }), false);
  else process.stdout.write(`${plainText(data)}\n`);
}

/** A place in the notebook's output whose content can be replaced; undefined outside a kernel. */
export function displayHandle(): ((data: MimeBundle) => void) | undefined {
  if (!inNotebook()) return undefined;
  const id = randomUUID();
  let shown = false;
  return (data) => {
    displaySink()?.(content({ data }, id), shown);
    shown = true;
  };
}

function isPresentable(thing: unknown): thing is Presentable {
  return (
    typeof thing === "object" &&
    thing !== null &&
    "mimeBundle" in thing &&
    typeof thing.mimeBundle === "function"
  );
}

/**
 * Shows things in order: figures and tables as themselves, text as Markdown, anything else as Node prints it.
 *
 * @example await show(figure1, table2, "The probe finds **toxicity** in the last layer.")
 */
export async function show(...things: unknown[]): Promise<void> {
  for (const thing of things) {
    if (isPresentable(thing)) {
      const { data, metadata } = await thing.mimeBundle();
      display(data, metadata);
    } else if (typeof thing === "string") {
      display({ "text/markdown": thing, "text/plain": thing });
    } else {
      display({ "text/plain": inspect(thing, { depth: 4 }) });
    }
  }
}

/**
 * Prints lines as one message. A kernel sends each console.log as a message of its own, and tslab's socket drops what goes
 * beyond some five hundred within one turn of the event loop.
 */
export function print(...lines: string[]): void {
  display({ "text/plain": lines.join("\n") });
}
