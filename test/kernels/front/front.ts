import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Subscriber } from "zeromq";
import {
  ClientChannels,
  newConnectionInfo,
  removeConnectionFile,
  socketAddress,
  writeConnectionFile,
  type ConnectionInfo,
  type JsonObject,
  type JupyterMessage,
} from "../../../src/jupyter/index.js";

const FAKE = join(import.meta.dirname, "fake-executor.cjs");
const HOST = join(import.meta.dirname, "host.cjs");

interface Options {
  /** Run by the fake executor before it is ready. */
  prelude?: string;
  /** Milliseconds until it is ready. */
  slow?: number;
  info?: Partial<ConnectionInfo>;
  flags?: string[];
  /** Instead of the fake executor. */
  command?: string[];
}

/** What came back for one request. */
export interface Answer {
  reply: JupyterMessage;
  /** iopub messages about it in order, without status and execute_input. */
  output: JupyterMessage[];
  /** All of them. */
  iopub: JupyterMessage[];
  /** The text of a stream. */
  text(name: "stdout" | "stderr"): string;
}

const open: Front[] = [];

/** Ends every front process that a test has started. */
export async function endFronts(): Promise<void> {
  await Promise.all(open.splice(0).map((front) => front.end()));
}

/** A front process with a fake executor, and a client of it. */
export class Front {
  readonly process: ChildProcess;
  readonly info: ConnectionInfo;
  readonly client: ClientChannels;
  readonly exited: Promise<unknown[]>;
  readonly received: { channel: string; message: JupyterMessage }[] = [];
  printed = "";
  readonly #file: string;
  #changed: (() => void)[] = [];

  private constructor(info: ConnectionInfo, options: Options) {
    this.info = info;
    this.#file = writeConnectionFile(info);
    const fake = [process.execPath, ...(options.flags ?? []), FAKE];
    const executor = options.command ?? [...fake, options.prelude ?? "", String(options.slow ?? 0)];
    this.process = spawn(process.execPath, [HOST, this.#file, JSON.stringify(executor)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => (this.printed += text));
    this.exited = once(this.process, "exit");
    this.client = new ClientChannels(info, (channel) => ({
      onMessage: (message) => this.#receive(channel, message),
    }));
    open.push(this);
  }

  static async start(options: Options = {}): Promise<Front> {
    const front = new Front({ ...(await newConnectionInfo("test")), ...options.info }, options);
    // iopub is heard once one of these is: the client's subscription takes its time.
    for (let heard = false; !heard;) {
      const { id } = await front.send("kernel_info_request", {});
      await front.until(() => front.replyTo(id));
      heard = await Promise.race([
        front.until(() => front.isIdle(id)).then(() => true),
        new Promise<false>((resolve) => setTimeout(resolve, 50, false)),
      ]);
    }
    front.received.length = 0;
    return front;
  }

  /** Resolves to what `look` finds, now or when more has come. */
  async until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  /** Sends a request; `done` resolves when it was answered and its `idle` has come. */
  async send(
    type: string,
    content: JsonObject,
    channel: "shell" | "control" = "shell",
  ): Promise<{ id: string; done: Promise<Answer> }> {
    let id = "";
    await this.client.request(channel, type, content, (given) => (id = given));
    const done = this.until(() => (this.isIdle(id) && this.replyTo(id)) || undefined).then((reply) => {
      const iopub = this.iopubOf(id);
      const output = iopub.filter(({ header }) => !["status", "execute_input"].includes(header.msg_type));
      return { reply, iopub, output, text: (name: string) => textOf(output, name) };
    });
    return { id, done };
  }

  async ask(type: string, content: JsonObject, channel: "shell" | "control" = "shell"): Promise<Answer> {
    return (await this.send(type, content, channel)).done;
  }

  run(code: string, more: JsonObject = {}): Promise<Answer> {
    return this.ask("execute_request", { code, ...more });
  }

  iopubOf(id: string): JupyterMessage[] {
    return this.received
      .filter(({ channel, message }) => channel === "iopub" && message.parentHeader.msg_id === id)
      .map(({ message }) => message);
  }

  replyTo(id: string): JupyterMessage | undefined {
    return this.received.find(
      ({ channel, message }) =>
        (channel === "shell" || channel === "control") && message.parentHeader.msg_id === id,
    )?.message;
  }

  isIdle(id: string): boolean {
    return this.iopubOf(id).some(({ content }) => content["execution_state"] === "idle");
  }

  /** Resolves when a message of that type about that request has come. */
  saw(id: string, type: string): Promise<JupyterMessage> {
    return this.until(() => this.iopubOf(id).find(({ header }) => header.msg_type === type));
  }

  /** Resident memory in megabytes. */
  memory(): number {
    const status = readFileSync(`/proc/${this.process.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  async end(): Promise<void> {
    await this.client.close();
    this.process.kill("SIGTERM");
    await this.exited;
    removeConnectionFile(this.#file);
  }

  #receive(channel: string, message: JupyterMessage): void {
    this.received.push({ channel, message });
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

function textOf(messages: JupyterMessage[], name: string): string {
  return messages
    .filter(({ header, content }) => header.msg_type === "stream" && content["name"] === name)
    .map(({ content }) => content["text"])
    .join("");
}

export const typesOf = (messages: JupyterMessage[]): string[] =>
  messages.map(({ header }) => header.msg_type);

/** Whether a process still runs; one that only waits to be forgotten does not. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** A client that reads iopub only when it is asked to, and then takes few messages ahead. */
export async function lazyReader(front: Front): Promise<Subscriber> {
  const lazy = new Subscriber({ receiveHighWaterMark: 3, linger: 0 });
  lazy.connect(socketAddress(front.info, "iopub"));
  lazy.subscribe();
  // Its subscription takes its time.
  const heard = lazy.receive().then(() => true);
  do await front.send("kernel_info_request", {});
  while (!(await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 50, false))])));
  return lazy;
}

/** Resolves when the condition holds, which nobody announces. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** The process ids of the children of a process. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
