import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Request } from "zeromq";
import { projectRoot } from "../../src/base/paths.js";
import {
  ClientChannels,
  findKernelspec,
  kernelCommand,
  newConnectionInfo,
  removeConnectionFile,
  socketAddress,
  writeConnectionFile,
  type ConnectionInfo,
  type JsonObject,
  type JupyterMessage,
} from "../../src/jupyter/index.js";

export interface SessionOptions {
  /** Where the kernel works; the project's root if nothing is said. */
  cwd?: string;
  env?: Record<string, string>;
  /** Options of node for the kernel, which its other process inherits. */
  flags?: string[];
  info?: Partial<ConnectionInfo>;
}

export interface ExecuteOptions extends JsonObject {
  /** Not of the protocol: what is answered to each question of the cell, in order. */
  answers?: string[];
}

/** What came back for one request. */
export class Answer {
  constructor(
    readonly reply: JupyterMessage,
    /** All iopub messages about it, in order. */
    readonly messages: JupyterMessage[],
  ) {}

  /** The same without status and execute_input. */
  get output(): JupyterMessage[] {
    return this.messages.filter(({ header }) => !["status", "execute_input"].includes(header.msg_type));
  }

  get content(): JsonObject {
    return this.reply.content;
  }

  of(type: string): JupyterMessage[] {
    return this.messages.filter(({ header }) => header.msg_type === type);
  }

  /** The text of a stream. */
  text(name: "stdout" | "stderr" = "stdout"): string {
    return this.of("stream")
      .filter(({ content }) => content["name"] === name)
      .map(({ content }) => content["text"])
      .join("");
  }

  /** The text of the result. */
  get result(): string | undefined {
    const data = this.of("execute_result")[0]?.content["data"] as Record<string, string> | undefined;
    return data?.["text/plain"];
  }

  /** `ename: evalue` of the reply; "" when all went well. */
  get failure(): string {
    const { status, ename, evalue } = this.content;
    return status === "ok" ? "" : `${String(ename ?? status)}: ${String(evalue ?? "")}`;
  }

  /** The traceback without colours. */
  get traceback(): string {
    return ((this.content["traceback"] ?? []) as string[]).join("\n").replace(/\u001b\[\d+m/g, "");
  }
}

const open: KernelSession[] = [];

/** Ends every kernel that a test file has started. */
export async function endSessions(): Promise<void> {
  await Promise.all(open.splice(0).map((session) => session.end()));
}

/** The real kernel, started from its kernel.json, and a client of it. */
export class KernelSession {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown[]>;
  readonly info: ConnectionInfo;
  readonly client: ClientChannels;
  /** Everything of iopub, in the order in which it came. */
  readonly iopub: JupyterMessage[] = [];
  /** What the front process itself printed. */
  printed = "";
  readonly #file: string;
  readonly #byParent = new Map<string, JupyterMessage[]>();
  readonly #replies = new Map<string, JupyterMessage>();
  readonly #idle = new Set<string>();
  #answers: string[] = [];
  #changed: (() => void)[] = [];

  private constructor(info: ConnectionInfo, { cwd = projectRoot(), env = {}, flags = [] }: SessionOptions) {
    this.info = info;
    this.#file = writeConnectionFile(info);
    const [command, ...args] = kernelCommand(findKernelspec("alignscope"), this.#file);
    this.process = spawn(command, [...flags, ...args], {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.printed += text));
    }
    this.exited = once(this.process, "exit");
    this.client = new ClientChannels(info, (channel) => ({
      onMessage: (message) => {
        if (channel === "iopub") this.#heard(message);
        else if (channel === "stdin") void this.#asked(message);
        else this.#replies.set(message.parentHeader.msg_id ?? "", message);
        for (const resolve of this.#changed.splice(0)) resolve();
      },
    }));
    open.push(this);
  }

  static async start(options: SessionOptions = {}): Promise<KernelSession> {
    const session = new KernelSession({ ...(await newConnectionInfo("test")), ...options.info }, options);
    // iopub is heard once one of these is: the client's subscription takes its time.
    for (let heard = false; !heard;) {
      const { id } = await session.send("kernel_info_request", {});
      await session.until(() => session.#replies.get(id));
      heard = await Promise.race([
        session.until(() => session.#idle.has(id)).then(() => true),
        sleep(50, false),
      ]);
    }
    return session;
  }

  /** Resolves to what `look` finds, now or when more has come; rejects when the kernel ends before. */
  async until<T>(look: () => T | undefined | false): Promise<T> {
    const ended = this.exited.then(([code, signal]) => {
      throw new Error(`the kernel ended (${String(code)}, ${String(signal)}): ${this.printed}`);
    });
    ended.catch(() => undefined);
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await Promise.race([new Promise<void>((resolve) => this.#changed.push(resolve)), ended]);
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
    const done = this.until(() => this.#idle.has(id) && this.#replies.get(id)).then(
      (reply) => new Answer(reply, this.about(id)),
    );
    done.catch(() => undefined);
    return { id, done };
  }

  async request(channel: "shell" | "control", type: string, content: JsonObject = {}): Promise<Answer> {
    return (await this.send(type, content, channel)).done;
  }

  /** Starts a cell; `done` as in {@link send}. */
  begin(
    code: string,
    { answers, ...options }: ExecuteOptions = {},
  ): Promise<{ id: string; done: Promise<Answer> }> {
    this.#answers = answers ?? [];
    return this.send("execute_request", { code, ...(answers ? { allow_stdin: true } : {}), ...options });
  }

  async execute(code: string, options: ExecuteOptions = {}): Promise<Answer> {
    return (await this.begin(code, options)).done;
  }

  /** iopub messages about a request so far. */
  about(id: string): JupyterMessage[] {
    return [...(this.#byParent.get(id) ?? [])];
  }

  /** Resolves when the cell has printed that text; rejects when it fails before. */
  async saw(id: string, text: string): Promise<void> {
    await this.until(() => {
      const messages = this.about(id);
      if (messages.some(({ content }) => String(content["text"]).includes(text))) return true;
      const failed = messages.find(({ header }) => header.msg_type === "error");
      if (failed) throw new Error(`the cell failed: ${JSON.stringify(failed.content)}`);
      return false;
    });
  }

  /** Resolves when `idle` about a request has come that is not answered, as one about a comm. */
  async idle(id: string): Promise<JupyterMessage[]> {
    await this.until(() => this.#idle.has(id));
    return this.about(id);
  }

  async interrupt(): Promise<void> {
    await this.request("control", "interrupt_request");
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Milliseconds that an echo of the heartbeat takes. */
  async heartbeat(): Promise<number> {
    const socket = new Request({ linger: 0 });
    socket.connect(socketAddress(this.info, "hb"));
    const start = performance.now();
    try {
      await socket.send("ping");
      await socket.receive();
      return performance.now() - start;
    } finally {
      socket.close();
    }
  }

  /** The kernel's process and all that descend from it, front first. */
  tree(): number[] {
    return descendants(this.process.pid ?? -1);
  }

  /** Resident megabytes of the front process. */
  frontMemory(): number {
    return residentMegabytes(this.process.pid ?? -1);
  }

  /** Resident megabytes of the whole tree. */
  memory(): number {
    return this.tree().reduce((sum, pid) => sum + residentMegabytes(pid), 0);
  }

  async end(): Promise<void> {
    const tree = this.tree();
    await this.client.close();
    this.process.kill("SIGTERM");
    await Promise.race([this.exited, sleep(3000)]);
    for (const pid of tree) if (lives(pid)) process.kill(pid, "SIGKILL");
    removeConnectionFile(this.#file);
  }

  #heard(message: JupyterMessage): void {
    this.iopub.push(message);
    const parent = message.parentHeader.msg_id ?? "";
    const known = this.#byParent.get(parent);
    if (known) known.push(message);
    else this.#byParent.set(parent, [message]);
    if (message.content["execution_state"] === "idle") this.#idle.add(parent);
  }

  async #asked(message: JupyterMessage): Promise<void> {
    const value = this.#answers.shift();
    if (value !== undefined)
      await this.client.reply("stdin", "input_reply", { status: "ok", value }, message.header);
  }
}

/** Whether a process is there and not only waits to be buried. */
export function lives(pid: number): boolean {
  return (statusOf(pid, "State") ?? "Z").charAt(0) !== "Z";
}

/** Resolves when none of the processes lives any more, to whether that was so in time. */
export async function goneWithin(pids: readonly number[], ms: number): Promise<boolean> {
  // There is no event for the end of a process that is not a child.
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) {
    if (!pids.some(lives)) return true;
  }
  return false;
}

function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((one) => /^\d+$/.test(one))) {
    const parent = Number(statusOf(Number(name), "PPid"));
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const all = [pid];
  for (const one of all) all.push(...(children.get(one) ?? []));
  return all;
}

function residentMegabytes(pid: number): number {
  return Number(/\d+/.exec(statusOf(pid, "VmRSS") ?? "0")?.[0] ?? 0) / 1024;
}

function statusOf(pid: number, field: string): string | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return new RegExp(`^${field}:\\s+(.*)$`, "m").exec(status)?.[1];
  } catch {
    return undefined;
  }
}
