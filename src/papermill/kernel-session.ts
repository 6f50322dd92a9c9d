import { setTimeout as sleep } from "node:timers/promises";
import {
  newConnectionInfo,
  removeConnectionFile,
  writeConnectionFile,
  type JsonObject,
  type JupyterMessage,
  type Kernelspec,
} from "jupyter-wire";
import {
  describeEnd,
  type KernelExit,
  KernelProcess,
  settledWithin,
  waitForAbort,
} from "./kernel-process.js";
import { KernelStartError } from "./errors.js";
import { KernelClient } from "./kernel-client.js";

export interface SessionOptions {
  cwd: string;
  environment: Record<string, string>;
  /** Seconds. */
  startTimeout: number;
  signal?: AbortSignal | undefined;
  onWarning: (message: string) => void;
}

/** How one execution ended. Its output arrives through the listener, not here. */
export type ExecutionEnd =
  /** The kernel answered. `complete` is false when its `idle` never came: output may be missing. */
  | { type: "replied"; reply: JupyterMessage; complete: boolean }
  /** The kernel was done but its answer never came. */
  | { type: "no-reply" }
  | { type: "timed-out" }
  | { type: "aborted" }
  | { type: "died"; exit: KernelExit };

export interface ExecutionLimits {
  /** Seconds; undefined is no limit. */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Milliseconds of silence after the reply until `idle` is given up for lost. */
const IDLE_PATIENCE = 4000;
/** Milliseconds to wait for the reply when `idle` came without it. */
const REPLY_PATIENCE = 10_000;
/** Milliseconds an interrupted cell gets for its last words. */
const INTERRUPT_PATIENCE = 1500;
/** Milliseconds of silence after which nothing more is expected from a dead kernel. */
const DRAIN_SILENCE = 100;
/** Seconds a kernel gets to end by itself, as in Jupyter: what cells have registered for its end may take a while. */
const SHUTDOWN_SECONDS = 5;
/** Milliseconds a kernel gets to end after SIGTERM. */
const TERM_PATIENCE = 1500;
const START_ATTEMPTS = 3;
/** What kernels print when a port was taken between its choice and their binding it. */
const PORT_TAKEN = /EADDRINUSE|Address (already )?in use/i;

/** A running kernel: its process and the conversation with it. */
export class KernelSession {
  readonly #spec: Kernelspec;
  readonly #process: KernelProcess;
  readonly #client: KernelClient;
  readonly #connectionFile: string;
  /** The content of kernel_info_reply. */
  info: JsonObject = {};

  private constructor(
    spec: Kernelspec,
    kernelProcess: KernelProcess,
    client: KernelClient,
    connectionFile: string,
  ) {
    this.#spec = spec;
    this.#process = kernelProcess;
    this.#client = client;
    this.#connectionFile = connectionFile;
  }

  /**
   * Starts the kernel and waits until it answers. A port lost to another program is a reason to try again.
   *
   * @throws KernelStartError with what the process printed
   */
  static async start(spec: Kernelspec, options: SessionOptions): Promise<KernelSession> {
    const deadline = Date.now() + options.startTimeout * 1000;
    for (let attempt = 1; ; attempt++) {
      const connection = await newConnectionInfo(spec.name);
      const file = writeConnectionFile(connection);
      const session = new KernelSession(
        spec,
        new KernelProcess(spec, file, options.cwd, options.environment),
        new KernelClient(connection, options.onWarning),
        file,
      );
      const problem = await session.#becomeReady(deadline, options);
      if (!problem) return session;
      await session.#discard();
      if (!PORT_TAKEN.test(session.#process.printed) || attempt === START_ATTEMPTS) {
        const printed = session.#process.printed;
        throw new KernelStartError(
          `the kernel ${spec.name} did not start: ${problem}${printed ? `; it printed:\n${printed}` : ""}`,
        );
      }
    }
  }

  /** The kernel's name and version by its own account. */
  get implementation(): string | null {
    const { implementation: name, implementation_version: version } = this.info;
    return typeof name === "string" && name !== "" ? `${name} ${String(version ?? "")}`.trim() : null;
  }

  /** Resolves to what went wrong, or to nothing when the kernel is ready. */
  async #becomeReady(deadline: number, options: SessionOptions): Promise<string | undefined> {
    const giveUp = new AbortController();
    const ready = this.#client.becomeReady(giveUp.signal).then(
      (info) => {
        this.info = info;
        return undefined;
      },
      () => undefined,
    );
    const died = this.#process.exited.then(describeEnd);
    const late = sleep(Math.max(0, deadline - Date.now()), undefined, { signal: giveUp.signal }).then(
      () => `no answer within ${options.startTimeout} s (--start-timeout)`,
      () => undefined,
    );
    const lostPort = this.#portTaken(giveUp.signal);
    const stop = waitForAbort(options.signal);
    const stopped = stop.aborted.then(() => "the run was ended");
    try {
      return await Promise.race([ready, died, late, lostPort, stopped]);
    } finally {
      stop.stopListening();
      giveUp.abort();
    }
  }

  /** Some kernels live on without their sockets when a port is taken: only what they print tells. */
  async #portTaken(signal: AbortSignal): Promise<string | undefined> {
    while (!PORT_TAKEN.test(this.#process.printed)) {
      try {
        await sleep(100, undefined, { signal });
      } catch {
        return undefined;
      }
    }
    return "its ports were taken by another program";
  }

  /** The kernel's process, which may have others under it. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The end of what the kernel's process itself printed. */
  get printed(): string {
    return this.#process.printed;
  }

  /**
   * Runs code and waits for its end: the reply and, since output travels on another socket, the `idle` after it.
   *
   * @param listener gets every iopub message of this execution, also those that come after it ended
   */
  async execute(
    code: string,
    listener: (message: JupyterMessage) => void,
    limits: ExecutionLimits = {},
  ): Promise<ExecutionEnd> {
    if (limits.signal?.aborted) return { type: "aborted" };
    const { reply, idle } = await this.#client.request(
      "shell",
      "execute_request",
      {
        code,
        silent: false,
        store_history: true,
        user_expressions: {},
        allow_stdin: false,
        stop_on_error: true,
      },
      listener,
    );
    const replied = reply.then((message) => ({ type: "replied", message }) as const);
    const silent = idle.then(async () => {
      await settledWithin(reply, REPLY_PATIENCE);
      return { type: "no-reply" } as const;
    });
    const died = this.#process.exited.then((exit) => ({ type: "died", exit }) as const);
    const timer = startTimer(limits.timeout);
    const late = timer.over.then(() => ({ type: "timed-out" }) as const);
    const stop = waitForAbort(limits.signal);
    const stopped = stop.aborted.then(() => ({ type: "aborted" }) as const);
    const first = await Promise.race([replied, silent, died, late, stopped]);
    timer.clear();
    stop.stopListening();
    switch (first.type) {
      case "replied":
        return { type: "replied", reply: first.message, complete: await this.#idleOrSilence(idle) };
      case "died":
        await this.#silence(DRAIN_SILENCE);
        return first;
      case "timed-out":
      case "aborted":
        await this.interrupt();
        await settledWithin(Promise.all([reply, idle]), INTERRUPT_PATIENCE);
        return first;
      case "no-reply":
        return first;
    }
  }

  /** The content of the reply to a question that runs nothing: `complete_request`, `inspect_request`. */
  async ask(type: string, content: JsonObject): Promise<JsonObject> {
    const { reply } = await this.#client.request("shell", type, content);
    return (await reply).content;
  }

  /** As the kernelspec says: SIGINT to the process group, or a message. */
  async interrupt(): Promise<void> {
    if (this.#process.exit) return;
    if (this.#spec.interruptMode === "message") {
      await this.#client.request("control", "interrupt_request", {});
    } else {
      this.#process.signal("SIGINT");
    }
  }

  /** Asks the kernel to end, after so many seconds makes it; nothing of its process group is left afterwards. */
  async shutdown(patience = SHUTDOWN_SECONDS): Promise<void> {
    if (!this.#process.exit) {
      await this.#client.request("control", "shutdown_request", { restart: false });
      await settledWithin(this.#process.exited, patience * 1000);
    }
    await this.#discard();
  }

  async #discard(): Promise<void> {
    await this.#process.end(TERM_PATIENCE);
    await this.#client.close();
    removeConnectionFile(this.#connectionFile);
  }

  /** Whether `idle` comes before iopub has been silent for too long. */
  async #idleOrSilence(idle: Promise<void>): Promise<boolean> {
    let complete = false;
    // Or every cell would leave a timer that keeps the process alive for so long.
    const over = new AbortController();
    void idle.then(() => (complete = true));
    await Promise.race([idle, this.#process.exited, this.#silence(IDLE_PATIENCE, over.signal)]);
    over.abort();
    return complete;
  }

  /** Resolves when iopub has been silent for that long, or when `signal` ends the wait. */
  async #silence(ms: number, signal?: AbortSignal): Promise<void> {
    const begun = Date.now();
    for (;;) {
      const quiet = Date.now() - Math.max(begun, this.#client.lastIopub);
      if (quiet >= ms || signal?.aborted) return;
      await sleep(ms - quiet, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** `over` resolves after that time, and never without a limit. */
function startTimer(seconds: number | undefined): { over: Promise<void>; clear(): void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    if (seconds !== undefined && seconds > 0) timer = setTimeout(resolve, seconds * 1000);
  });
  return { over, clear: () => clearTimeout(timer) };
}
