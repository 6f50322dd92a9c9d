import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { userInfo } from "node:os";
import type { Json } from "./nbformat.js";

/** The protocol version this project speaks as a client. Source: jupyter-client's messaging.rst. */
export const PROTOCOL_VERSION = "5.3";

const DELIMITER = Buffer.from("<IDS|MSG>");

export interface MessageHeader {
  msg_id: string;
  /** The same for everything one client sends in its life. */
  session: string;
  username: string;
  /** ISO 8601, UTC. */
  date: string;
  msg_type: string;
  version: string;
}

export type JsonObject = Record<string, Json | undefined>;

/** One message of the Jupyter protocol; unknown types and fields are kept as they came. */
export interface JupyterMessage {
  header: MessageHeader;
  /** The header of the request this answers; without `msg_id` when it answers none. */
  parentHeader: Partial<MessageHeader>;
  metadata: JsonObject;
  content: JsonObject;
  buffers: Buffer[];
  /** Routing prefix put on by ROUTER sockets, topic put on by PUB sockets. */
  identities: Buffer[];
}

/** Bytes that are no valid message of this connection: unsigned, wrongly signed, replayed or malformed. */
export class InvalidMessageError extends Error {
  override readonly name = "InvalidMessageError";
}

/** A fresh message; `parent` is the header of the request it answers. */
export function newMessage(
  type: string,
  content: JsonObject,
  session: string,
  parent: Partial<MessageHeader> = {},
): JupyterMessage {
  return {
    header: {
      msg_id: randomUUID(),
      session,
      username: username(),
      date: new Date().toISOString(),
      msg_type: type,
      version: PROTOCOL_VERSION,
    },
    parentHeader: parent,
    metadata: {},
    content,
    buffers: [],
    identities: [],
  };
}

/**
 * Signs and checks the messages of one connection: HMAC-SHA256 over the four JSON parts as sent. An empty key switches
 * signing off, as the protocol says.
 */
export class MessageSigner {
  readonly #key: string;
  readonly #seen = new Set<string>();

  constructor(key: string) {
    this.#key = key;
  }

  /** The frames to send: identities, delimiter, signature, header, parent, metadata, content, buffers. */
  serialise(message: JupyterMessage): Buffer[] {
    const parts = [message.header, message.parentHeader, message.metadata, message.content].map((part) =>
      Buffer.from(JSON.stringify(part)),
    );
    const signature = this.#signature(parts);
    // The other end may refuse what it has seen before, and so may we: our own never come back to us.
    return [...message.identities, DELIMITER, Buffer.from(signature), ...parts, ...message.buffers];
  }

  /**
   * Checks the signature before any byte is parsed, then parses.
   *
   * @throws InvalidMessageError when unsigned, wrongly signed, seen before, or not the protocol's frames
   */
  parse(frames: readonly Buffer[]): JupyterMessage {
    const delimiter = frames.findIndex((frame) => frame.equals(DELIMITER));
    if (delimiter < 0) throw new InvalidMessageError("message without <IDS|MSG>");
    const [signature, ...rest] = frames.slice(delimiter + 1);
    const parts = rest.slice(0, 4);
    if (!signature || parts.length < 4)
      throw new InvalidMessageError(`message of ${frames.length} frames is too short`);
    this.#verify(signature, parts);
    const [header, parentHeader, metadata, content] = parts.map((part, index) =>
      parseObject(part, (["header", "parent_header", "metadata", "content"] as const)[index] ?? "part"),
    ) as [JsonObject, JsonObject, JsonObject, JsonObject];
    if (typeof header["msg_id"] !== "string" || typeof header["msg_type"] !== "string") {
      throw new InvalidMessageError("message header without msg_id or msg_type");
    }
    return {
      header: header as unknown as MessageHeader,
      parentHeader: parentHeader,
      metadata,
      content,
      buffers: rest.slice(4),
      identities: frames.slice(0, delimiter),
    };
  }

  #signature(parts: readonly Buffer[]): string {
    if (this.#key === "") return "";
    const hmac = createHmac("sha256", this.#key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }

  #verify(signature: Buffer, parts: readonly Buffer[]): void {
    if (this.#key === "") return;
    const expected = Buffer.from(this.#signature(parts));
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new InvalidMessageError(
        signature.length === 0 ? "unsigned message" : "message with a wrong signature",
      );
    }
    const digest = expected.toString("latin1");
    if (this.#seen.has(digest)) throw new InvalidMessageError("message with a signature seen before");
    this.#seen.add(digest);
    if (this.#seen.size > REPLAY_MEMORY) forgetOldest(this.#seen, REPLAY_MEMORY / 4);
  }
}

/** How many signatures are remembered, as in the reference client. */
const REPLAY_MEMORY = 65536;

function forgetOldest(set: Set<string>, count: number): void {
  for (const oldest of set) {
    if (count-- <= 0) return;
    set.delete(oldest);
  }
}

function parseObject(bytes: Buffer, name: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new InvalidMessageError(`message whose ${name} is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidMessageError(`message whose ${name} is not a JSON object`);
  }
  return value as JsonObject;
}

function username(): string {
  try {
    return userInfo().username;
  } catch {
    return "jupyter"; // No entry for this user id, as in some containers.
  }
}
