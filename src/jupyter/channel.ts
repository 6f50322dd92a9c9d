import type { Readable, Socket, Writable } from "zeromq";
import { messageOf } from "@alignscope/base/errors";
import type { JupyterMessage, MessageSigner } from "./messages.js";

/** Sends one at a time: a ZeroMQ socket refuses a second `send()` while one is pending. */
export class SendQueue {
  #last: Promise<void> = Promise.resolve();
  readonly #socket: Writable;

  constructor(socket: Writable) {
    this.#socket = socket;
  }

  /** Resolves when these frames were handed to ZeroMQ; rejects when the socket is closed. */
  send(frames: Buffer[]): Promise<void> {
    const sent = this.#last.then(() => this.#socket.send(frames));
    this.#last = sent.catch(() => undefined);
    return sent;
  }
}

/** What a channel tells about the bytes that arrive. */
export interface ChannelListener {
  onMessage(message: JupyterMessage): void;
  /** Bytes that are no valid message of this connection; they are dropped. */
  onInvalid?(reason: string): void;
}

/** One signed socket of a connection, the same for the client's and the kernel's end. */
export class Channel {
  readonly #socket: Socket;
  readonly #queue: SendQueue | undefined;
  readonly #signer: MessageSigner;
  readonly #reading: Promise<void>;

  constructor(
    socket: Socket & (Readable | Writable | (Readable & Writable)),
    signer: MessageSigner,
    listener: ChannelListener,
  ) {
    this.#socket = socket;
    this.#signer = signer;
    this.#queue = "send" in socket ? new SendQueue(socket) : undefined;
    this.#reading = "receive" in socket ? this.#read(socket, listener) : Promise.resolve();
  }

  async send(message: JupyterMessage): Promise<void> {
    if (!this.#queue) throw new Error(`a ${this.#socket.constructor.name} socket does not send`);
    await this.#queue.send(this.#signer.serialise(message));
  }

  /** Ends reading; what was not sent yet is dropped. */
  async close(): Promise<void> {
    this.#socket.close();
    await this.#reading;
  }

  async #read(socket: Readable, listener: ChannelListener): Promise<void> {
    for (;;) {
      let frames: Buffer[];
      try {
        frames = await socket.receive();
      } catch (error) {
        if (this.#socket.closed) return;
        throw error;
      }
      let message: JupyterMessage;
      try {
        message = this.#signer.parse(frames);
      } catch (error) {
        listener.onInvalid?.(messageOf(error));
        continue;
      }
      listener.onMessage(message);
    }
  }
}
