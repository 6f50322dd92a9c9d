import { messageOf, UserError } from "@alignscope/base/errors";
import type { Cell, CodeCell, ErrorOutput, Json, JupyterMessage } from "jupyter-wire";
import type { Parameters, ParameterValue, RunnerEvent } from "../options.js";

/** What stands in the place of a secret in everything that is written. */
export const MASK = "********";

/** Which parameters are secrets: none (`false`), or those whose name says so and those that a pattern matches. */
export type MaskOption = false | readonly string[];

/** A word of these anywhere in a name, or several in a row, make it a secret's. */
const ANYWHERE = new RegExp(
  `(?:^| )(?:passwords?|passwd|pwd|passphrases?|passcode|secrets?|credentials?|apikeys?|authorization|bearer|authtoken|accesstoken|${[
    "(?:api|private|access|secret|signing|encryption|account) keys?",
    "connection string",
  ].join("|")})(?: |$)`,
);
/** These do so as its last word only: `hfToken` holds one, `tokenCount` counts some. */
const LAST = /(?:^| )(?:token|auth)$/;

/**
 * Whether a name alone says that its value is a secret: `apiKey`, `db_password`, `HF_TOKEN`; not `maxNewTokens`,
 * `keyComments`, `secretary`.
 */
export function soundsSecret(name: string): boolean {
  const words = name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim()
    .toLowerCase();
  return ANYWHERE.test(words) || LAST.test(words);
}

/**
 * Whether a parameter is to be masked. A name that only sounds like a secret's does not make one of a number or a
 * boolean (`token: -1`); a pattern makes one of anything.
 */
export function isSecret(name: string, value: ParameterValue, mask: MaskOption = []): boolean {
  if (mask === false || value === undefined || value === null || value === "") return false;
  if (mask.some((pattern) => compile(pattern).test(name))) return true;
  return (typeof value === "string" || typeof value === "object") && soundsSecret(name);
}

/** The parameters with every secret masked. */
export function maskParameters(parameters: Parameters, mask?: MaskOption): Parameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, isSecret(name, value, mask) ? MASK : value]),
  );
}

/**
 * Refuses templates of paths that would write a secret into a file's name.
 *
 * @throws UserError naming the first such parameter
 */
export function refuseSecretsInPath(template: string, parameters: Parameters, mask?: MaskOption): void {
  for (const [, name = ""] of template.matchAll(/(?<!\{)\{([\p{L}_$][\p{L}\p{N}_$]*)[^{}]*\}/gu)) {
    if (!Object.hasOwn(parameters, name) || !isSecret(name, parameters[name], mask)) continue;
    throw new UserError(
      `the path ${template} would show the parameter ${name}, which is masked: name the file without it`,
    );
  }
}

/** A regular expression, sought anywhere in the name, whatever the case. */
function compile(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "iu");
  } catch (error) {
    throw new UserError(`"${pattern}" is no pattern of parameters to mask (${messageOf(error)})`);
  }
}

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

type StreamName = "stdout" | "stderr";

/** Masks the messages of one cell. A secret may come in pieces: text that could be its beginning is held back. */
export class StreamMask {
  readonly #secrets: readonly string[];
  readonly #text: (text: string) => string;
  readonly #content: (content: Json) => Json;
  readonly #listener: (message: JupyterMessage) => void;
  readonly #held = new Map<StreamName, { text: string; message: JupyterMessage }>();

  /** @param secrets longest first */
  constructor(
    secrets: readonly string[],
    text: (text: string) => string,
    content: (content: Json) => Json,
    listener: (message: JupyterMessage) => void,
  ) {
    this.#secrets = secrets;
    this.#text = text;
    this.#content = content;
    this.#listener = listener;
  }

  /** To be given every message in order. */
  readonly handle = (message: JupyterMessage): void => {
    const { content, header } = message;
    if (header.msg_type !== "stream" || typeof content["text"] !== "string") {
      if (header.msg_type !== "status") this.end();
      const masked = this.#content(content) as JupyterMessage["content"];
      return this.#listener({ ...message, content: masked });
    }
    const name = content["name"] === "stderr" ? "stderr" : "stdout";
    this.#release(name === "stderr" ? "stdout" : "stderr");
    const text = this.#text((this.#held.get(name)?.text ?? "") + content["text"]);
    const keep = this.#beginning(text);
    this.#held.delete(name);
    if (keep > 0) this.#held.set(name, { text: text.slice(text.length - keep), message });
    if (keep < text.length) this.#tell(message, text.slice(0, text.length - keep));
  };

  /** No more is to come: what was held back is told. */
  end(): void {
    this.#release("stdout");
    this.#release("stderr");
  }

  #release(name: StreamName): void {
    const held = this.#held.get(name);
    this.#held.delete(name);
    if (held) this.#tell(held.message, held.text);
  }

  #tell(message: JupyterMessage, text: string): void {
    this.#listener({ ...message, content: { ...message.content, text } });
  }

  /** The length of the longest end of `text` that some secret begins with. */
  #beginning(text: string): number {
    let longest = 0;
    for (const secret of this.#secrets) {
      const most = Math.min(secret.length - 1, text.length);
      for (let length = most; length > longest; length--) {
        if (text.endsWith(secret.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
