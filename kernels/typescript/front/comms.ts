import type { JsonObject, JupyterMessage } from "jupyter-wire/messages";
import type { Json } from "jupyter-wire/nbformat";
import type { CommMessage, ToExecutor, ToFront } from "../wire/index.js";

type FromExecutor = Extract<ToFront, { type: "comm-open" | "comm-message" | "comm-close" }>;
type ForExecutor = Extract<ToExecutor, { type: "comm-open" | "comm-message" | "comm-close" }>;

/** A comm message as it is published. */
export interface CommPublication {
  type: string;
  content: JsonObject;
  metadata: JsonObject;
  buffers: Buffer[];
}

/** Which comms (the lines between widgets and their other halves in a cell) are open, and how their messages travel. */
export class Comms {
  readonly #targets = new Map<string, string>();

  /** The content of comm_info_reply. */
  info(target: Json | undefined): JsonObject {
    const open = [...this.#targets].filter(([, name]) => typeof target !== "string" || name === target);
    return { status: "ok", comms: Object.fromEntries(open.map(([id, name]) => [id, { target_name: name }])) };
  }

  /** What the executor is to hear of a client's message; nothing when it makes no sense. */
  fromClient(message: JupyterMessage, execution: number): ForExecutor | undefined {
    const { comm_id: commId, target_name: target } = message.content;
    if (typeof commId !== "string") return undefined;
    const comm: CommMessage = {
      commId,
      data: objectOf(message.content["data"]),
      metadata: objectOf(message.metadata),
      buffers: message.buffers.map((buffer) => buffer.toString("base64")),
    };
    if (message.header.msg_type === "comm_open") {
      if (typeof target !== "string") return undefined;
      this.#targets.set(commId, target);
      return { type: "comm-open", execution, target, ...comm };
    }
    if (!this.#targets.has(commId)) return undefined;
    if (message.header.msg_type !== "comm_close") return { type: "comm-message", execution, ...comm };
    this.#targets.delete(commId);
    return { type: "comm-close", execution, ...comm };
  }

  /** What clients are to hear of the executor's message. */
  fromExecutor(message: FromExecutor): CommPublication {
    const { commId, data, metadata = {}, buffers = [] } = message;
    const content: JsonObject = { comm_id: commId, data };
    if (message.type === "comm-open") {
      this.#targets.set(commId, message.target);
      content["target_name"] = message.target;
    }
    if (message.type === "comm-close") this.#targets.delete(commId);
    const type = message.type === "comm-message" ? "comm_msg" : message.type.replace("-", "_");
    return { type, content, metadata, buffers: buffers.map((buffer) => Buffer.from(buffer, "base64")) };
  }

  /** The executor is gone, and with it every other half. */
  closeAll(): CommPublication[] {
    const open = [...this.#targets.keys()];
    this.#targets.clear();
    return open.map((id) => ({
      type: "comm_close",
      content: { comm_id: id, data: {} },
      metadata: {},
      buffers: [],
    }));
  }
}

function objectOf(value: Json | JsonObject | undefined): Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, Json>)
    : {};
}
