import { setTimeout as sleep } from "node:timers/promises";
import {
  ClientChannels,
  type ConnectionInfo,
  type JsonObject,
  type JupyterMessage,
  type ClientChannelName,
} from "jupyter-wire";

/** The answers to one request; neither promise rejects. */
export interface Conversation {
  reply: Promise<JupyterMessage>;
  /** The kernel has said on iopub that it is done with this request: all its output has come. */
  idle: Promise<void>;
}

interface Listener {
  onIopub(message: JupyterMessage): void;
  onReply(message: JupyterMessage): void;
}

/** Milliseconds between two kernel_info_requests while a kernel starts. */
const KNOCK_INTERVAL = 100;

/** The conversation with one kernel: which answer belongs to which request. */
export class KernelClient {
  readonly #channels: ClientChannels;
  /** By msg_id; kept when a request is done: output that comes later still belongs to it. */
  readonly #listeners = new Map<string, Listener>();
  #anyIopub = false;
  /** When the last message came on iopub, in milliseconds. */
  lastIopub = Date.now();

  constructor(info: ConnectionInfo, onWarning: (message: string) => void) {
    this.#channels = new ClientChannels(info, (channel) => ({
      onMessage: (message) => this.#receive(channel, message),
      onInvalid: (reason) => onWarning(`dropped a ${reason} on the kernel's ${channel} socket`),
    }));
  }

  /** Sends a request; `onIopub` gets every message the kernel publishes about it, in order. */
  async request(
    channel: "shell" | "control",
    type: string,
    content: JsonObject,
    onIopub: (message: JupyterMessage) => void = () => undefined,
  ): Promise<Conversation> {
    let onReply!: (message: JupyterMessage) => void;
    let onIdle!: () => void;
    const reply = new Promise<JupyterMessage>((resolve) => (onReply = resolve));
    const idle = new Promise<void>((resolve) => (onIdle = resolve));
    await this.#channels.request(channel, type, content, (id) =>
      this.#listeners.set(id, {
        onReply,
        onIopub: (message) => {
          onIopub(message);
          if (message.header.msg_type === "status" && message.content["execution_state"] === "idle") onIdle();
        },
      }),
    );
    return { reply, idle };
  }

  /**
   * Knocks until the kernel has answered on shell and has been heard on iopub (a subscription takes a moment to reach
   * the other end; what is published before is lost). Returns the content of kernel_info_reply; ends when `signal` does.
   */
  async becomeReady(signal: AbortSignal): Promise<JsonObject> {
    let info: JsonObject | undefined;
    while (!info || !this.#anyIopub) {
      const { reply } = await this.request("shell", "kernel_info_request", {});
      void reply.then((message) => (info ??= message.content));
      for (let waited = 0; waited < KNOCK_INTERVAL && !(info && this.#anyIopub); waited += 5) {
        await sleep(5, undefined, { signal });
      }
    }
    return info;
  }

  async close(): Promise<void> {
    await this.#channels.close();
  }

  #receive(channel: ClientChannelName, message: JupyterMessage): void {
    if (channel === "iopub") {
      this.#anyIopub = true;
      this.lastIopub = Date.now();
    }
    const listener = this.#listeners.get(message.parentHeader.msg_id ?? "");
    if (channel === "iopub") listener?.onIopub(message);
    else if (channel === "stdin") this.#refuseInput(message);
    else listener?.onReply(message);
  }

  /** Nobody is there to type: an empty answer lets a kernel that asks in spite of allow_stdin=false go on. */
  #refuseInput(message: JupyterMessage): void {
    if (message.header.msg_type !== "input_request") return;
    void this.#channels.reply("stdin", "input_reply", { status: "error", value: "" }, message.header);
  }
}
