import type { Json, JupyterMessage } from "jupyter-wire";

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
