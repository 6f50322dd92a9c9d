import { setTimeout as sleep } from "node:timers/promises";
import { randomUUID } from "node:crypto";
import { Publisher, Router } from "zeromq";
import { messageOf } from "@alignscope/base/errors";
import { Channel } from "jupyter-wire/channel";
import { socketAddress, type ConnectionInfo } from "jupyter-wire/connection";
import {
  MessageSigner,
  newMessage,
  type JsonObject,
  type JupyterMessage,
  type MessageHeader,
} from "jupyter-wire/messages";
import { KERNEL_PROTOCOL } from "./kernel-info.js";

export type RequestChannel = "shell" | "control";
type Header = Partial<MessageHeader>;

interface Extra {
  metadata?: JsonObject;
  buffers?: Buffer[];
}

export interface SocketListener {
  onRequest(channel: RequestChannel, message: JupyterMessage): void;
  onInputReply(message: JupyterMessage): void;
  /** No client is connected to stdin any more: nobody will answer. */
  onStdinDeserted(): void;
}

/** What may be on its way to a client that does not read: so many messages, each of at most about half a megabyte. */
const WAITING_MESSAGES = 40;
/** Milliseconds after which a client that is dead or stopped no longer holds up the others. */
const CLIENT_PATIENCE = 60_000;
/** Milliseconds until a question that cannot be sent is given up. */
const ASKER_PATIENCE = 500;
/** What ZeroMQ gets to send the last answers. */
const LINGER = 300;

/**
 * iopub that waits for a slow client instead of dropping messages or keeping them without limit. libzmq has no event for
 * "there is room again" on this kind of socket: it is asked again and again.
 */
class PatientPublisher extends Publisher {
  override async send(frames: Parameters<Publisher["send"]>[0]): Promise<void> {
    for (let pause = 1; ; pause = Math.min(2 * pause, 20)) {
      try {
        return await super.send(frames);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      }
      await sleep(pause);
    }
  }
}

/** The kernel's end of a connection. Nothing here rejects: who is gone hears nothing. */
export class KernelSockets {
  readonly #session = randomUUID();
  readonly #signer: MessageSigner;
  readonly #router = new Router({ linger: LINGER });
  readonly #control = new Router({ linger: LINGER });
  // Mandatory: a requester that is gone is an error, not silence. With nobody connected at all ZeroMQ would wait for
  // somebody, without end.
  readonly #stdin = new Router({ linger: 0, mandatory: true, sendTimeout: ASKER_PATIENCE });
  readonly #iopub = new PatientPublisher({
    linger: LINGER,
    noDrop: true,
    sendHighWaterMark: WAITING_MESSAGES,
    heartbeatInterval: CLIENT_PATIENCE / 4,
    heartbeatTimeout: CLIENT_PATIENCE,
    // A stopped client's system still says that it lives: this limits how long it may take nothing.
    tcpMaxRetransmitTimeout: CLIENT_PATIENCE,
  });
  // Not a Reply: that ends for everyone with one client that takes no answers.
  readonly #heartbeat = new Router({ linger: 0 });
  #channels: Record<"shell" | "control" | "stdin" | "iopub", Channel> | undefined;
  #onStdinDeserted: () => void = () => undefined;

  private constructor(key: string) {
    this.#signer = new MessageSigner(key);
    let connections = 0;
    this.#stdin.events.on("accept", () => connections++);
    this.#stdin.events.on("disconnect", () => {
      connections--;
      if (connections === 0) this.#onStdinDeserted();
    });
  }

  /** Binds all five; none is read before that, for the binding refuses to do both at once. */
  static async bind(info: ConnectionInfo): Promise<KernelSockets> {
    const sockets = new KernelSockets(info.key);
    const bound = [
      ["shell", sockets.#router],
      ["control", sockets.#control],
      ["stdin", sockets.#stdin],
      ["iopub", sockets.#iopub],
      ["hb", sockets.#heartbeat],
    ] as const;
    for (const [name, socket] of bound) await socket.bind(addressOf(info, name));
    return sockets;
  }

  /** Begins to read. */
  listen(listener: SocketListener): void {
    const channel = (socket: Router, onMessage: (message: JupyterMessage) => void): Channel =>
      new Channel(socket, this.#signer, { onMessage });
    this.#channels = {
      shell: channel(this.#router, (message) => listener.onRequest("shell", message)),
      control: channel(this.#control, (message) => listener.onRequest("control", message)),
      stdin: channel(this.#stdin, (message) => listener.onInputReply(message)),
      iopub: new Channel(this.#iopub, this.#signer, { onMessage: () => undefined }),
    };
    this.#onStdinDeserted = () => listener.onStdinDeserted();
    void this.#beat();
  }

  /** Sends the answer to a request to whoever asked, on the socket it came from. */
  async reply(
    channel: RequestChannel,
    request: JupyterMessage,
    type: string,
    content: JsonObject,
  ): Promise<void> {
    const message = this.#message(type, content, request.header);
    message.identities = request.identities;
    await this.#channels?.[channel].send(message).catch(() => undefined);
  }

  /** Resolves once ZeroMQ has taken it, which waits for slow clients. */
  async publish(type: string, content: JsonObject, parent: Header, extra: Extra = {}): Promise<void> {
    const message = this.#message(type, content, parent);
    message.metadata = extra.metadata ?? {};
    message.identities = [Buffer.from(`kernel.${this.#session}.${type}`)];
    message.buffers = extra.buffers ?? [];
    await this.#channels?.iopub.send(message).catch(() => undefined);
  }

  /**
   * Sends an input_request to whoever sent `request`; `onId` hears its msg_id before the answer can come. Resolves to
   * whether anybody is there.
   */
  async ask(request: JupyterMessage, content: JsonObject, onId: (msgId: string) => void): Promise<boolean> {
    const message = this.#message("input_request", content, request.header);
    message.identities = request.identities;
    onId(message.header.msg_id);
    try {
      await this.#channels?.stdin.send(message);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    for (const socket of [this.#router, this.#control, this.#stdin, this.#iopub, this.#heartbeat])
      socket.close();
  }

  #message(type: string, content: JsonObject, parent: Header): JupyterMessage {
    const message = newMessage(type, content, this.#session, parent);
    message.header.version = KERNEL_PROTOCOL;
    return message;
  }

  async #beat(): Promise<void> {
    try {
      for (;;) {
        const beat = await this.#heartbeat.receive();
        await this.#heartbeat.send(beat).catch(() => undefined);
      }
    } catch (error) {
      if (!this.#heartbeat.closed) process.stderr.write(`no heartbeat any more: ${messageOf(error)}\n`);
    }
  }
}

function addressOf(info: ConnectionInfo, channel: Parameters<typeof socketAddress>[1]): string {
  // Jupyter's other transport names files: PATH-1, PATH-2, …
  if ((info.transport as string) === "ipc") return `ipc://${info.ip}-${info[`${channel}_port`]}`;
  return socketAddress(info, channel);
}
