import { messageOf } from "@alignscope/base/errors";
import type { JsonObject, JupyterMessage, MessageHeader } from "jupyter-wire/messages";
import type { Json } from "jupyter-wire/nbformat";
import { diagnostics } from "../language/diagnostics.js";
import type { CellError, CompiledCell, Problem, ToFront } from "../wire/index.js";
import { INTERRUPTED, NotAnswered, type Executor } from "./executor.js";
import type { History } from "./history.js";
import type { Inputs } from "./inputs.js";
import type { Language } from "./language.js";
import type { Output, StreamName } from "./output.js";
import type { KernelSockets } from "./sockets.js";

/** Of so many executions the requests are remembered, so that output that comes late finds the right cell. */
const REMEMBERED = 1000;
/** Milliseconds that an interrupted compiler has to come to an end by itself, which it mostly is about to. */
const COMPILER_PATIENCE = 500;
/** How often what a process wrote past us may keep coming before a cell counts as over. */
const LAST_LOOKS = 50;

interface Execution {
  id: number;
  header: MessageHeader;
  code: string;
  count: number;
  silent: boolean;
  /** Whether it has a place in the history. */
  stored?: boolean;
  /** Who may be asked; missing when the cell may not ask, or is over. */
  asker: JupyterMessage | undefined;
  running: boolean;
  error?: CellError;
}

/** The parts of a kernel that executions touch. */
export interface Surroundings {
  sockets: KernelSockets;
  output: Output;
  history: History;
  inputs: Inputs;
  language: Language;
  executor(): Executor;
}

/** What is run, and to which request each piece of output belongs. */
export class Executions {
  readonly #around: Surroundings;
  readonly #cells = new Map<number, Execution>();
  /** Apart from the cells: a slider that is dragged would make those forgotten. */
  readonly #others = new Map<number, Execution>();
  #last = 0;
  #newestCell = 0;
  #cellsBegun = 0;
  #count = 0;
  #rawBytes = 0;
  /** Whether the cell that is being compiled was interrupted; undefined while none is. */
  #interrupted: boolean | undefined;
  #patience: NodeJS.Timeout | undefined;
  #notice: string | undefined;

  constructor(surroundings: Surroundings) {
    this.#around = surroundings;
  }

  /** Runs one execute_request, to the end of its output; resolves to the content of its reply. */
  async run(request: JupyterMessage): Promise<JsonObject> {
    const { sockets, history, inputs, language } = this.#around;
    const { content } = request;
    const code = content["code"];
    if (typeof code !== "string") return this.failure(badRequest("execute_request without code"));
    const silent = content["silent"] === true;
    const store = !silent && content["store_history"] !== false;
    if (store) this.#count++;
    const execution = this.#begin(request, silent, this.#cells);
    const { id, count } = execution;
    this.#newestCell = id;
    this.#cellsBegun++;
    if (!silent) void sockets.publish("execute_input", { code, execution_count: count }, request.header);
    if (store) history.add(count, code);
    execution.stored = store;
    this.#giveNotice(execution);
    const expressions: JsonObject = {};
    const payload: JsonObject[] = [];
    try {
      const cell = await this.#compile(code, id);
      const compiled: Record<string, { execution: number; cell: CompiledCell }> = {};
      for (const [name, expression] of Object.entries(textsIn(content["user_expressions"]))) {
        const number = ++this.#last;
        try {
          compiled[name] = { execution: number, cell: await this.#compile(`(${expression})`, number) };
        } catch (error) {
          expressions[name] = { status: "error", ...reasonOf(error) };
        }
      }
      const done = await this.#around.executor().ask({
        type: "execute",
        execution: id,
        code,
        count,
        silent,
        cell,
        expressions: compiled,
        allowStdin: execution.asker !== undefined,
      });
      if (done.error) {
        language.settled(id, done.assigned ?? []);
        await this.#fail(execution, done.error);
      }
      for (const [name, result] of Object.entries(done.expressions)) expressions[name] = { ...result };
      // For runners; papermill-ts ends the notebook there.
      if (done.stopped !== undefined) payload.push({ source: "stop", reason: done.stopped });
    } catch (error) {
      await this.#fail(execution, reasonOf(error));
    }
    execution.asker = undefined;
    inputs.forget(id);
    await this.over(id);
    if (execution.error) return this.failure(execution.error, count);
    return { status: "ok", execution_count: count, user_expressions: expressions, payload };
  }

  /** Stops the running cell, also one that is being compiled. */
  interrupt(): void {
    if (this.#interrupted === undefined) {
      this.#around.executor().interrupt();
      return;
    }
    this.#interrupted = true;
    this.#patience ??= setTimeout(() => void this.#around.language.abandon(), COMPILER_PATIENCE);
  }

  /** Rejects with {@link NotAnswered} when the compiler has something against the code, and when it was interrupted. */
  async #compile(code: string, execution: number): Promise<CompiledCell> {
    this.#interrupted = false;
    try {
      const compiled = await this.#around.language.compile(code, execution).catch((error: unknown) => {
        if (this.#interrupted) throw new NotAnswered(INTERRUPTED);
        const evalue = messageOf(error);
        throw new NotAnswered({ ename: "CompilerError", evalue, traceback: [`CompilerError: ${evalue}`] });
      });
      if (!compiled.ok) throw new NotAnswered(this.#problems(compiled.problems, execution));
      if (this.#interrupted) {
        this.#around.language.forget(execution);
        throw new NotAnswered(INTERRUPTED);
      }
      return compiled.cell;
    } finally {
      this.#interrupted = undefined;
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
  }

  #problems(problems: readonly Problem[], execution: number): CellError {
    const book = {
      label: (id: number): string | undefined => {
        const known = this.#cells.get(id);
        return known && (known.silent ? "In [ ]" : `In [${known.count}]`);
      },
      code: (id: number): string | undefined => this.#cells.get(id)?.code,
    };
    return diagnostics(problems, execution, book, process.cwd());
  }

  /** The reply to a request that was skipped because an earlier one failed. */
  aborted(): JsonObject {
    return { status: "aborted", execution_count: this.#count, user_expressions: {}, payload: [] };
  }

  failure(error: CellError, count = this.#count): JsonObject {
    return { status: "error", ...error, execution_count: count, user_expressions: {}, payload: [] };
  }

  /** A number for something else that may cause output: a message of a comm. */
  number(request: JupyterMessage): number {
    const other = this.#begin(request, false, this.#others);
    other.running = false;
    return other.id;
  }

  /** Resolves when all output of what has that number was published. */
  async over(execution: number): Promise<void> {
    await this.#lastWords();
    const of = this.#cells.get(execution) ?? this.#others.get(execution);
    if (of) of.running = false;
    await this.#around.output.finish(execution);
  }

  /** The header of the request that output belongs to; of none when that is long ago. */
  parentOf(execution: number): Partial<MessageHeader> {
    return this.#of(execution)?.header ?? {};
  }

  onText(stream: StreamName, execution: number, bytes: Buffer): Promise<void> | undefined {
    const of = this.#of(execution);
    if (of?.silent) return undefined;
    return this.#around.output.text(stream, of?.id ?? execution, bytes);
  }

  /** Written by native code or by a child process: the newest cell is the likeliest cause. */
  onRaw(stream: StreamName, bytes: Buffer): Promise<void> | undefined {
    this.#rawBytes += bytes.length;
    const of = this.#of(0);
    return of?.silent ? undefined : this.#around.output.text(stream, of?.id ?? 0, bytes, "process");
  }

  onMessage(message: ToFront): Promise<void> | undefined {
    if (message.type === "import") void this.#import(message);
    if (!("execution" in message)) return undefined;
    const of = this.#of(message.execution);
    switch (message.type) {
      case "display": {
        const { data, metadata, displayId } = message;
        const type = message.update ? "update_display_data" : "display_data";
        const transient = displayId === undefined ? {} : { display_id: displayId };
        return this.#publish(of, type, { data, metadata, transient });
      }
      case "result": {
        const { data, metadata } = message;
        const text = data["text/plain"];
        if (of?.stored && typeof text === "string") this.#around.history.setOutput(of.count, text);
        return this.#publish(of, "execute_result", {
          data,
          metadata,
          execution_count: of?.count ?? this.#count,
        });
      }
      case "clear":
        return this.#publish(of, "clear_output", { wait: message.wait });
      case "error": {
        const { ename, evalue, traceback } = message;
        return this.#fail(of, { ename, evalue, traceback });
      }
      case "input":
        // Not waited for: the answer takes its time, and output may go on.
        void this.#around.output.send(() =>
          this.#around.inputs.question(message, of?.running ? of.asker : undefined),
        );
        return undefined;
      default:
        return undefined;
    }
  }

  /** The executor is gone: the next cell to be run by another says so, which is the newest if that waits. */
  onLost(how: string, waits: boolean): void {
    this.#around.language.reset();
    const newest = this.#of(0);
    if (!newest || (waits && this.#cellsBegun === 1)) return; // There were no variables yet.
    this.#notice = `The process that ran the earlier cells ${how}: their variables are gone.\n`;
    if (waits) this.#giveNotice(newest);
  }

  /** Not waited for: the compiler takes its time, and output may go on. */
  async #import({ request, specifier, from }: Extract<ToFront, { type: "import" }>): Promise<void> {
    const file = await this.#around.language.localFile(specifier, from).catch(() => undefined);
    this.#around.executor().tell({ type: "import-reply", request, ...(file && { file }) });
  }

  #begin(request: JupyterMessage, silent: boolean, among: Map<number, Execution>): Execution {
    const { header, content } = request;
    const asker = content["allow_stdin"] === true ? request : undefined;
    const code = typeof content["code"] === "string" ? content["code"] : "";
    const execution = { id: ++this.#last, header, code, count: this.#count, silent, asker, running: true };
    among.set(execution.id, execution);
    const [oldest] = among.keys();
    if (among.size > REMEMBERED && oldest !== undefined) among.delete(oldest);
    return execution;
  }

  /** 0 is taken for the newest cell. */
  #of(execution: number): Execution | undefined {
    return this.#cells.get(execution === 0 ? this.#newestCell : execution) ?? this.#others.get(execution);
  }

  #giveNotice({ id, silent }: Execution): void {
    if (this.#notice === undefined || silent) return;
    void this.#around.output.text("stderr", id, Buffer.from(this.#notice), "notice");
    this.#around.output.flush();
    this.#notice = undefined;
  }

  /** A running cell fails once, whoever says so first; one that is over may fail again, in something it left behind. */
  #fail(execution: Execution | undefined, error: CellError): Promise<void> | undefined {
    if (execution?.running) {
      if (execution.error) return undefined;
      execution.error = error;
    }
    return this.#publish(execution, "error", { ...error });
  }

  #publish(execution: Execution | undefined, type: string, content: JsonObject): Promise<void> | undefined {
    if (execution?.silent) return undefined;
    const { output, sockets } = this.#around;
    return output.send(() => sockets.publish(type, content, execution?.header ?? {}));
  }

  /** What the process wrote to its real stdout and stderr comes by other pipes, which are given a chance here. */
  async #lastWords(): Promise<void> {
    for (let look = 0, seen = -1; look < LAST_LOOKS && seen !== this.#rawBytes; look++) {
      seen = this.#rawBytes;
      await this.#around.output.settled();
      await turn();
      await turn();
    }
  }
}

function reasonOf(error: unknown): CellError {
  if (!(error instanceof NotAnswered)) throw error;
  return error.reason;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function badRequest(evalue: string): CellError {
  return { ename: "BadRequestError", evalue, traceback: [`BadRequestError: ${evalue}`] };
}

function textsIn(value: Json | undefined): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
