import { StringDecoder } from "node:string_decoder";

export type StreamName = "stdout" | "stderr";
type Publish = (stream: StreamName, execution: number, text: string) => Promise<void>;

/** Milliseconds between two messages of text: the first goes at once, what follows is gathered. */
const INTERVAL = 50;
/** Text of this length (bytes or characters) does not wait for more. */
const LONG = 512 * 1024;
const DECODERS = 1000;

/**
 * Gathers text into few messages and keeps everything that is published in order. Whoever reads the executor's pipes waits
 * for {@link settled} in between: while a client is slow, the executor then is, too, and nothing piles up here.
 */
export class Output {
  readonly #publish: Publish;
  readonly #decoders = new Map<string, StringDecoder>();
  #gathered: { stream: StreamName; execution: number; parts: string[]; length: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastText = -Infinity;
  #sent: Promise<void> = Promise.resolve();

  constructor(publish: Publish) {
    this.#publish = publish;
  }

  /**
   * Bytes of a stream, cut anywhere; those of different sources (the cell, the process itself) are not mixed within a
   * character. What is returned, if anything, is to be awaited before more is read.
   */
  text(stream: StreamName, execution: number, bytes: Buffer, source = "cell"): Promise<void> | undefined {
    const key = `${stream} ${execution} ${source}`;
    let decoder = this.#decoders.get(key);
    if (!decoder) {
      this.#decoders.set(key, (decoder = new StringDecoder("utf8")));
      // Executions that are over and still write leave theirs behind.
      if (this.#decoders.size > DECODERS) this.#decoders.delete(this.#decoders.keys().next().value ?? "");
    }
    if (bytes.length > LONG) return this.#long(stream, execution, bytes, decoder);
    const flushed = this.#append(stream, execution, decoder.write(bytes));
    return flushed ? this.#sent : undefined;
  }

  /** Publishes something else, after all text before it. */
  send(publish: () => Promise<void>): Promise<void> {
    this.flush();
    this.#sent = publish();
    return this.#sent;
  }

  /** To be called when the bytes that were at hand are used up; resolves when there is room for more. */
  settled(): Promise<void> {
    if (this.#gathered) {
      const wait = this.#lastText + INTERVAL - performance.now();
      if (wait <= 0) this.flush();
      else this.#timer ??= setTimeout(() => this.flush(), wait);
    }
    return this.#sent;
  }

  /** Publishes what was gathered. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const gathered = this.#gathered;
    if (!gathered) return;
    this.#gathered = undefined;
    this.#lastText = performance.now();
    this.#sent = this.#publish(gathered.stream, gathered.execution, gathered.parts.join(""));
  }

  /** The execution is over: half a character will not become a whole one. Resolves when all was published. */
  async finish(execution: number): Promise<void> {
    for (const [key, decoder] of this.#decoders) {
      const [stream, of] = key.split(" ") as [StreamName, string];
      if (Number(of) !== execution) continue;
      this.#decoders.delete(key);
      this.#append(stream, execution, decoder.end());
    }
    this.flush();
    await this.#sent;
  }

  async #long(stream: StreamName, execution: number, bytes: Buffer, decoder: StringDecoder): Promise<void> {
    for (let at = 0; at < bytes.length; at += LONG) {
      if (this.#append(stream, execution, decoder.write(bytes.subarray(at, at + LONG)))) await this.#sent;
    }
  }

  /** Whether the text was long enough to be published. */
  #append(stream: StreamName, execution: number, text: string): boolean {
    if (!text) return false;
    if (this.#gathered && (this.#gathered.stream !== stream || this.#gathered.execution !== execution))
      this.flush();
    this.#gathered ??= { stream, execution, parts: [], length: 0 };
    this.#gathered.parts.push(text);
    this.#gathered.length += text.length;
    if (this.#gathered.length < LONG) return false;
    this.flush();
    return true;
  }
}
