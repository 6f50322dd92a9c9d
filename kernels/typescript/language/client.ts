import { MessageChannel, Worker, type MessagePort } from "node:worker_threads";
import type { Compiled, ImportedFile } from "../wire/compiled.js";
import type { Bundle, Completeness, Completions } from "../wire/messages.js";
import type { KnownCell, LanguageOptions } from "./language.js";
import type { LanguageAnswer, LanguageMethod, LanguageRequest, LanguageThread } from "./worker.js";

/** Types of a long chain of cells are found by recursion: each cell asks for the one before. */
const STACK_MB = 64;

/** What types may take; a project with many packages needs some hundred megabytes. */
const HEAP_MB = 2048;

/** Little room for young objects keeps garbage from staying for good. */
const YOUNG_MB = 8;

interface Waiting {
  request: LanguageRequest;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * {@link Language} in a thread of its own. If the thread dies, what waited for it is rejected, and the next question starts
 * a new one, which is told the cells there were.
 */
export class LanguageClient {
  readonly #options: LanguageOptions;
  readonly #entry: URL;
  readonly #waiting = new Map<number, Waiting>();
  /** What a thread has to know, by execution. */
  readonly #cells = new Map<number, KnownCell>();
  #worker: Worker | undefined;
  /** To what the thread answers amid other work. */
  #urgent: MessagePort | undefined;
  #last = 0;

  /** `entry` is the thread's script. */
  constructor(options: LanguageOptions, entry = new URL("./worker.js", import.meta.url)) {
    this.#options = options;
    this.#entry = entry;
  }

  /** Has the thread load what it needs, ahead of the first question. */
  start(): Worker {
    return (this.#worker ??= this.#started());
  }

  async compile(code: string, execution: number): Promise<Compiled> {
    const compiled = await this.#ask<Compiled>("compile", code, execution);
    if (compiled.ok) this.#cells.set(execution, { execution, code });
    return compiled;
  }

  settled(execution: number, assigned?: readonly string[]): Promise<void> {
    const cell = this.#cells.get(execution);
    if (cell) cell.assigned = assigned;
    return this.#ask("settled", execution, assigned);
  }

  forget(execution: number): Promise<void> {
    this.#cells.delete(execution);
    return this.#ask("forget", execution);
  }

  reset(): Promise<void> {
    this.#cells.clear();
    return this.#ask("reset");
  }

  /** Gives up what is being compiled, which is rejected, however long the thread would still be busy; other questions wait on. */
  async abandon(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { request, resolve, reject } of waiting) {
      if (request.method === "compile") reject(new Error("the compiler was interrupted"));
      else this.#post(request, { resolve, reject });
    }
    this.start();
    await worker?.terminate();
  }

  localFile(specifier: string, from: string): Promise<ImportedFile | undefined> {
    return this.#ask("localFile", specifier, from);
  }

  complete(code: string, position: number): Promise<Completions> {
    return this.#ask("complete", code, position);
  }

  hover(code: string, position: number): Promise<Bundle | undefined> {
    return this.#ask("hover", code, position);
  }

  completeness(code: string): Promise<Completeness> {
    return this.#ask("completeness", code);
  }

  /** Ends the thread; what waits for it is rejected. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#failed(worker, "the language service was closed");
    await worker?.terminate();
  }

  #ask<T>(method: LanguageMethod, ...args: unknown[]): Promise<T> {
    const request = { id: ++this.#last, method, args };
    return new Promise<T>((resolve, reject) => {
      this.#post(request, { resolve: resolve as (value: unknown) => void, reject });
    });
  }

  #post(request: LanguageRequest, then: Pick<Waiting, "resolve" | "reject">): void {
    const worker = this.start();
    worker.ref();
    this.#waiting.set(request.id, { request, ...then });
    if (request.method === "completeness") this.#urgent?.postMessage(request);
    else worker.postMessage(request);
  }

  #started(): Worker {
    const { port1, port2 } = new MessageChannel();
    this.#urgent = port1;
    port1.on("message", (answer: LanguageAnswer) => this.#answered(answer));
    port1.unref();
    const worker = new Worker(this.#entry, {
      workerData: { ...this.#options, urgent: port2 } satisfies LanguageThread,
      transferList: [port2],
      resourceLimits: {
        stackSizeMb: STACK_MB,
        maxOldGenerationSizeMb: HEAP_MB,
        maxYoungGenerationSizeMb: YOUNG_MB,
      },
    });
    worker.unref();
    worker.on("message", (answer: LanguageAnswer) => this.#answered(answer));
    worker.on("error", (error) => this.#failed(worker, `the language service failed: ${error.message}`));
    worker.on("exit", (code) => this.#failed(worker, `the language service ended with exit code ${code}`));
    if (this.#cells.size > 0) {
      const request: LanguageRequest = {
        id: ++this.#last,
        method: "restore",
        args: [[...this.#cells.values()]],
      };
      worker.postMessage(request);
    }
    return worker;
  }

  #answered(answer: LanguageAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    // Who waits for nothing may end while the thread lives.
    if (this.#waiting.size === 0) this.#worker?.unref();
    if ("error" in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.value);
  }

  #failed(worker: Worker | undefined, reason: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(new Error(reason));
    this.#waiting.clear();
  }
}
