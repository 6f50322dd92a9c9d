import type { Cell, CodeCell, ErrorOutput, JupyterMessage, Json } from "jupyter-wire";
import type { Parameters, ParameterValue, RunnerEvent } from "../options.js";
import { isSecret, MASK, type MaskOption } from "./secret-names.js";
import { StreamMask } from "./stream-mask.js";

/** Values shorter than this would be found everywhere: they are masked where they are injected, not in outputs. */
const SHORTEST = 6;

/**
 * The secrets of one run. The notebook in memory never holds them: its injected cell is written masked, and what the
 * kernel is sent instead is kept here. What the kernel says is masked before anybody else hears of it.
 */
export class Secrets {
  /** Names of the masked parameters. */
  readonly names: readonly string[];
  /** Every spelling of a value that outputs may show, longest first. */
  readonly #texts: readonly string[];
  readonly #sources = new WeakMap<Cell, string>();

  /** @param texts what a command line said, by name: a number may come back as it was typed */
  constructor(parameters: Parameters, mask: MaskOption = [], texts: Readonly<Record<string, string>> = {}) {
    this.names = Object.keys(parameters).filter((name) => isSecret(name, parameters[name], mask));
    const values = this.names.flatMap((name) => [
      ...textsOf(parameters[name]),
      ...(texts[name] === undefined ? [] : [texts[name]]),
    ]);
    const spelt = values.flatMap((value) => [
      value,
      ...value.split("\n"),
      value.trim(),
      JSON.stringify(value).slice(1, -1),
      JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"'), // between single quotes
      inUrl(value),
      value.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;"),
      value.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;"),
    ]);
    this.#texts = [...new Set(spelt)]
      .filter((text) => text.length >= SHORTEST && text !== MASK)
      .sort((a, b) => b.length - a.length);
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** The kernel is sent `source` in the place of the cell's own. */
  keepSource(cell: CodeCell, source: string): void {
    this.#sources.set(cell, source);
  }

  /** What the kernel is to be sent. */
  sourceOf(cell: CodeCell): string {
    return this.#sources.get(cell) ?? cell.source;
  }

  /** `text` without secrets. */
  text(text: string): string {
    return this.#texts.reduce((masked, secret) => masked.replaceAll(secret, MASK), text);
  }

  error(error: ErrorOutput): ErrorOutput {
    if (this.#texts.length === 0) return error;
    // As one text first: a value of several lines is spread over them.
    const traceback = this.text(error.traceback.join("\n")).split("\n");
    return { ...error, ename: this.text(error.ename), evalue: this.text(error.evalue), traceback };
  }

  event(event: RunnerEvent): RunnerEvent {
    return event.type === "warning" ? { ...event, message: this.text(event.message) } : event;
  }

  /**
   * Lets the messages of one cell through to `listener`, masked; the end of a text that could be the beginning of a
   * secret waits for what comes next.
   */
  filter(listener: (message: JupyterMessage) => void): StreamMask | undefined {
    if (this.#texts.length === 0) return undefined;
    return new StreamMask(
      this.#texts,
      (text) => this.text(text),
      (content) => this.#json(content),
      listener,
    );
  }

  #json(value: Json): Json {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((each) => this.#json(each));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, entry]): [string, Json] => [
      this.text(key),
      entry === undefined || BINARY.test(key) ? (entry ?? null) : this.#json(entry),
    ]);
    return Object.fromEntries(entries);
  }
}

/** Bundles hold these as base64, in which nothing could be found and by chance something replaced. */
const BINARY = /^(?:image\/(?!svg)|audio\/|video\/|font\/|application\/(?:pdf|octet-stream))/;

function inUrl(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text; // half a character
  }
}

function textsOf(value: ParameterValue): string[] {
  if (value === undefined || value === null || typeof value === "boolean") return [];
  if (typeof value !== "object") return [String(value)];
  return Object.values(value as Record<string, ParameterValue>).flatMap(textsOf);
}
