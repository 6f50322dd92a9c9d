import { randomUUID } from "node:crypto";
import { Dealer, Subscriber } from "zeromq";
import { Channel, type ChannelListener } from "./channel.js";
import { socketAddress, type ConnectionInfo } from "./connection.js";
import { MessageSigner, newMessage, type JsonObject, type JupyterMessage } from "./messages.js";

export type ClientChannelName = "shell" | "control" | "stdin" | "iopub";

/** The client's four signed sockets of one kernel connection. (A heartbeat says nothing reliable and is not used.) */
export class ClientChannels {
  readonly session = randomUUID();
  readonly #channels: Record<ClientChannelName, Channel>;

  constructor(info: ConnectionInfo, listen: (channel: ClientChannelName) => ChannelListener) {
    // stdin requests are routed by identity: it must be the one that shell uses.
    const identity = this.session;
    // Each end remembers the signatures it has seen, so every socket may share the signer.
    const signer = new MessageSigner(info.key);
    const dealer = (channel: "shell" | "control" | "stdin"): Channel => {
      const socket = new Dealer({ routingId: identity, linger: 0, reconnectInterval: RECONNECT_MS });
      socket.connect(socketAddress(info, channel));
      return new Channel(socket, signer, listen(channel));
    };
    // No high water mark: a burst of output must not be dropped on this side.
    const subscriber = new Subscriber({
      linger: 0,
      receiveHighWaterMark: 0,
      reconnectInterval: RECONNECT_MS,
    });
    subscriber.connect(socketAddress(info, "iopub"));
    subscriber.subscribe();
    this.#channels = {
      shell: dealer("shell"),
      control: dealer("control"),
      stdin: dealer("stdin"),
      iopub: new Channel(subscriber, signer, listen("iopub")),
    };
  }

  /**
   * Sends a request of this session; `onId` hears its msg_id, which its answers carry as their parent's, before it is
   * sent, so that no answer can come too early.
   */
  async request(
    channel: "shell" | "control",
    type: string,
    content: JsonObject,
    onId: (msgId: string) => void,
  ): Promise<void> {
    const message = newMessage(type, content, this.session);
    onId(message.header.msg_id);
    await this.#channels[channel].send(message);
  }

  /** Answers a request of the kernel (`input_request`). */
  async reply(
    channel: "stdin",
    type: string,
    content: JsonObject,
    parent: JupyterMessage["header"],
  ): Promise<void> {
    await this.#channels[channel].send(newMessage(type, content, this.session, parent));
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#channels).map((channel) => channel.close()));
  }
}

/** How often ZeroMQ tries to connect while the kernel has not bound its ports; the default of 100 ms delays every start. */
const RECONNECT_MS = 20;
