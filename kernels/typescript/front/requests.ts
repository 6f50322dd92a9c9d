import { messageOf } from "@alignscope/base/errors";
import type { JsonObject, JupyterMessage } from "jupyter-wire/messages";
import { toPoints, toUnits } from "./code-points.js";
import type { Comms } from "./comms.js";
import type { Executions } from "./executions.js";
import type { Executor } from "./executor.js";
import type { History } from "./history.js";
import type { Language } from "./language.js";
import { kernelInfo } from "./kernel-info.js";
import type { KernelSockets, RequestChannel } from "./sockets.js";

interface Request {
  channel: RequestChannel;
  message: JupyterMessage;
  aborted?: boolean;
}

/** What answers requests. */
export interface Answerers {
  sockets: KernelSockets;
  executor: Executor;
  executions: Executions;
  language: Language;
  history: History;
  comms: Comms;
  interrupt(): void;
  shutDown(): void;
}

type Handler = (request: Request) => Promise<JsonObject | undefined> | JsonObject | undefined;

/**
 * Answers requests: some at once, also while a cell computes, the others one after the other in the order in which they
 * came. Each is bracketed by `busy` and `idle`, also one of a type that nobody knows.
 */
export class Requests {
  readonly #parts: Answerers;
  readonly #queue: Request[] = [];
  #working = false;
  #question = 0;
  #info: JsonObject | undefined;

  readonly #atOnce: Record<string, Handler> = {
    kernel_info_request: () => (this.#info ??= kernelInfo()),
    interrupt_request: () => {
      this.#parts.interrupt();
      return { status: "ok" };
    },
    shutdown_request: ({ message }) => ({ status: "ok", restart: message.content["restart"] === true }),
    complete_request: ({ message }) => this.#complete(message.content),
    inspect_request: ({ message }) => this.#inspect(message.content),
    is_complete_request: ({ message }) => this.#isComplete(message.content),
  };

  readonly #inTurn: Record<string, Handler> = {
    execute_request: (request) => this.#execute(request),
    history_request: ({ message }) => ({
      status: "ok",
      history: this.#parts.history.answer(message.content),
    }),
    comm_info_request: ({ message }) => this.#parts.comms.info(message.content["target_name"]),
    comm_open: ({ message }) => this.#comm(message),
    comm_msg: ({ message }) => this.#comm(message),
    comm_close: ({ message }) => this.#comm(message),
  };

  constructor(parts: Answerers) {
    this.#parts = parts;
  }

  receive(channel: RequestChannel, message: JupyterMessage): void {
    const type = message.header.msg_type;
    if (Object.hasOwn(this.#inTurn, type)) {
      this.#queue.push({ channel, message });
      if (!this.#working) void this.#work();
      return;
    }
    const handler = Object.hasOwn(this.#atOnce, type) ? this.#atOnce[type] : () => undefined;
    void this.#handle({ channel, message }, handler).then(() => {
      if (type === "shutdown_request") this.#parts.shutDown();
    });
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      await this.#handle(next, this.#inTurn[next.message.header.msg_type]);
    }
    this.#working = false;
  }

  async #handle(request: Request, handler: Handler | undefined): Promise<void> {
    const { sockets } = this.#parts;
    const { channel, message } = request;
    const { header } = message;
    void sockets.publish("status", { execution_state: "busy" }, header);
    try {
      const content = await handler?.(request);
      if (content)
        await sockets.reply(channel, message, header.msg_type.replace(/_request$/, "_reply"), content);
    } catch (error) {
      process.stderr.write(`${header.msg_type}: ${messageOf(error)}\n`);
    }
    void sockets.publish("status", { execution_state: "idle" }, header);
  }

  async #execute(request: Request): Promise<JsonObject> {
    const { executions } = this.#parts;
    if (request.aborted) return executions.aborted();
    const { content } = request.message;
    const reply = await executions.run(request.message);
    // Only what waits now was sent by someone who could not know of the failure.
    if (reply["status"] === "error" && content["stop_on_error"] !== false && content["silent"] !== true) {
      for (const waiting of this.#queue) waiting.aborted = true;
    }
    return reply;
  }

  async #complete(content: JsonObject): Promise<JsonObject> {
    const { code, position } = placeIn(content);
    const found = await this.#parts.language.complete(code, position);
    const [start, end] = [toPoints(code, found.start), toPoints(code, found.end)];
    const types = found.matches.map((text, index) => ({ start, end, text, type: found.kinds[index] ?? "" }));
    const metadata = { _jupyter_types_experimental: types };
    return { status: "ok", matches: found.matches, cursor_start: start, cursor_end: end, metadata };
  }

  async #inspect(content: JsonObject): Promise<JsonObject> {
    const { code, position } = placeIn(content);
    const data = await this.#parts.language.hover(code, position);
    return { status: "ok", found: data !== undefined, data: data ?? {}, metadata: {} };
  }

  async #isComplete(content: JsonObject): Promise<JsonObject> {
    return { ...(await this.#parts.language.completeness(placeIn(content).code)) };
  }

  /** Its `idle` waits until the executor has handled it: a question right behind it is answered only then. */
  async #comm(message: JupyterMessage): Promise<undefined> {
    const { executor, comms, executions } = this.#parts;
    const execution = executions.number(message);
    const forwarded = comms.fromClient(message, execution);
    if (!forwarded) return;
    executor.tell(forwarded);
    await executor.ask({ type: "ping", request: ++this.#question }).catch(() => undefined);
    await executions.over(execution);
  }
}

/** The code, and the cursor in UTF-16 units: at the end, when the request says nothing else. */
function placeIn(content: JsonObject): { code: string; position: number } {
  const code = typeof content["code"] === "string" ? content["code"] : "";
  const cursor = content["cursor_pos"];
  return { code, position: typeof cursor === "number" ? toUnits(code, cursor) : code.length };
}
