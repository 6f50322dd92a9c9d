import { clearInterval, setImmediate, setInterval, setTimeout } from "node:timers";
import { Script } from "node:vm";
import {
  cellScript,
  RESULT,
  RUNTIME,
  type CellError,
  type CompiledCell,
  type ExpressionResult,
  type Shown,
  type ToExecutor,
} from "../wire/index.js";
import { tellFront } from "./channel.js";
import { ErrorTeller, type CodeBook } from "./errors.js";
import {
  begin,
  currentExecution,
  Execution,
  interruptible,
  InterruptedError,
  StoppedError,
  type Interruptible,
} from "./interrupts.js";
import type { Lifeline } from "./lifeline.js";
import { COMMON_JS, type Modules } from "./modules.js";
import type { Places } from "./places.js";
import { render } from "./render/index.js";
import { wasShown } from "./shown.js";
import { hasValue, prepareSlots } from "./slots.js";
import { TensorWatch } from "./tensors.js";

type ExecuteRequest = Extract<ToExecutor, { type: "execute" }>;

/** How a cell has ended. */
interface Ending {
  thrown?: { value: unknown };
}

/** What a cell that was interrupted gets to clear up, in milliseconds. */
const CLEARING_MS = 3000;
/** How often is looked whether it has. */
const LOOK_MS = 20;

/** Executions whose code is kept for the frames of errors. */
const REMEMBERED = 2000;

const BEFORE = `(async function (${COMMON_JS.join(", ")}) {"use strict";`;
const AFTER = "\n})";

/** Runs compiled cells, one after the other. */
export class Cells implements CodeBook {
  readonly errors: ErrorTeller;
  readonly tensors: TensorWatch;
  /** Ends the code that calls it when its cell was interrupted: for loops of a library. */
  readonly checkpoint: () => void;
  running: Execution | undefined;
  readonly #lifeline: Lifeline;
  readonly #modules: Modules;
  readonly #places: Places;
  readonly #codes = new Map<number, { label: string; code: string }>();
  readonly #runtime: Interruptible;
  /** Ends the running execution. */
  #end: ((ending: Ending) => void) | undefined;

  constructor(cwd: string, modules: Modules, places: Places, lifeline: Lifeline) {
    this.#modules = modules;
    this.#places = places;
    this.#lifeline = lifeline;
    this.errors = new ErrorTeller(places, this, cwd);
    this.#runtime = interruptible(() => lifeline.hear());
    this.checkpoint = this.#runtime.halt;
    this.tensors = new TensorWatch(this.checkpoint);
    Object.defineProperties(globalThis, {
      [RUNTIME]: {
        value: {
          ...this.#runtime,
          mark: (count: number) => void (currentExecution().assigned = count),
          import: (specifier: unknown) => modules.import(specifier),
          importFrom: (from: string, specifier: unknown) => modules.import(specifier, from),
          meta: modules.metaOf(),
          metaOf: (filename: string) => modules.metaOf(filename),
        },
      },
      [RESULT]: { value: (value: unknown) => void (currentExecution().value = value) },
    });
  }

  cell(execution: number): { label: string; code: string } | undefined {
    return this.#codes.get(execution);
  }

  /** Ends what the cell awaits, the innermost first, and leaves it some time to clear up. */
  interrupt(id: number): void {
    const execution = this.running;
    if (execution?.id !== id) return; // It is over.
    const again = execution.interrupted;
    execution.interrupt();
    if (again) return;
    const until = performance.now() + CLEARING_MS;
    const looking = setInterval(() => {
      if (this.running !== execution) clearInterval(looking);
      else if (performance.now() > until) this.kill(id);
      else execution.interrupt();
    }, LOOK_MS);
  }

  /** Its code has been terminated, or does not end: nothing of it goes on. */
  kill(id: number): void {
    if (this.running?.id !== id) return;
    this.running.kill();
    this.#end?.({ thrown: { value: new InterruptedError() } });
  }

  /** Runs a cell and tells the front all about it: also when this fails, or whoever has sent it would wait for ever. */
  async run(request: ExecuteRequest): Promise<void> {
    try {
      await this.#run(request);
    } catch (reason) {
      this.#over();
      const error = this.errors.thrown(reason);
      tellFront({ type: "executed", execution: request.execution, error, expressions: {} });
    }
  }

  async #run(request: ExecuteRequest): Promise<void> {
    const { execution: id, code, silent, allowStdin, cell } = request;
    const label = silent ? "In [ ]" : `In [${request.count}]`;
    this.#remember(id, label, code);
    const execution = this.#begin(new Execution(id, allowStdin, silent));
    const before = this.tensors.before();
    const { shown, error } = await this.#evaluate(execution, cell);
    if (error) this.tensors.unwind(before);
    this.tensors.after(before, label);
    if (shown && !silent) tellFront({ type: "result", execution: id, ...shown });
    if (error) tellFront({ type: "error", execution: id, ...error });
    const expressions: Record<string, ExpressionResult> = {};
    for (const [name, one] of error ? [] : Object.entries(request.expressions)) {
      expressions[name] = await this.#expression(
        new Execution(id, allowStdin, silent),
        one.execution,
        one.cell,
      );
    }
    this.#over();
    const has = (name: string, at: number): boolean =>
      cell.vars.includes(name) ? hasValue(name) : at < execution.assigned;
    const assigned = error ? { assigned: cell.declares.filter(has) } : {};
    const { stopped } = execution;
    tellFront({
      type: "executed",
      execution: id,
      ...(error ? { error } : {}),
      ...(stopped === undefined ? {} : { stopped }),
      ...assigned,
      expressions,
    });
  }

  #begin(execution: Execution): Execution {
    begin(execution);
    this.running = execution;
    this.#lifeline.begin(execution.id);
    return execution;
  }

  #over(): void {
    this.running = undefined;
    this.#lifeline.over();
  }

  async #evaluate(
    execution: Execution,
    cell: CompiledCell,
    script = cellScript(execution.id),
    always = false,
  ): Promise<{ shown?: Shown; error?: CellError }> {
    let shown: Shown | undefined;
    const { thrown } = await this.#toItsEnd(execution, async () => {
      await this.#start(cell, script);
      const { silent } = execution;
      const value = wasShown(execution.value) ? undefined : execution.value;
      // Also what is added meanwhile.
      for (const showing of execution.showing) await this.#waiting(showing);
      if (always || (value !== undefined && value !== null && !silent)) {
        shown = await this.#waiting(render(value));
        if (always) shown ??= { data: { "text/plain": String(value) }, metadata: {} };
      }
    });
    execution.value = undefined;
    if (execution.interrupted) return { error: this.errors.thrown(new InterruptedError()) };
    if (thrown && !(thrown.value instanceof StoppedError)) return { error: this.errors.thrown(thrown.value) };
    return shown ? { shown } : {};
  }

  async #start(cell: CompiledCell, filename: string): Promise<void> {
    this.#modules.take(cell.modules, cell.links);
    this.#places.add(filename, cell.script.maps);
    if (cell.imports.length > 0) await this.#waiting(this.#modules.importInto(cell.imports));
    prepareSlots(cell);
    const script = new Script(BEFORE + cell.script.code + AFTER, { filename, columnOffset: -BEFORE.length });
    const body = script.runInThisContext() as (...given: unknown[]) => Promise<void>;
    await this.#waiting(Reflect.apply(body, undefined, this.#modules.commonJs()));
  }

  /**
   * Resolves when a cell has ended and, after an interrupt, has cleared up. What V8 terminates takes all that stands behind
   * it in the queue of microtasks along: cells begin and end in turns of their own, where nothing of the kernel does.
   */
  #toItsEnd(execution: Execution, work: () => Promise<void>): Promise<Ending> {
    return new Promise((resolve) => {
      const end = (ending: Ending): void => {
        if (execution.interrupted && !execution.dead && execution.awaits.size > 0) {
          setTimeout(() => end(ending), LOOK_MS);
        } else resolve(ending);
      };
      this.#end = end;
      setImmediate(() => {
        begin(execution);
        // In a microtask: Node loses count of its callbacks when one of them is terminated.
        void Promise.resolve()
          .then(work)
          .then(
            () => setImmediate(() => end({})),
            (value: unknown) => setImmediate(() => end({ thrown: { value } })),
          );
      });
    });
  }

  async #expression(execution: Execution, script: number, cell: CompiledCell): Promise<ExpressionResult> {
    this.#begin(execution);
    const { shown, error } = await this.#evaluate(execution, cell, cellScript(script), true);
    if (error) return { status: "error", ...error };
    return { status: "ok", ...(shown ?? { data: {}, metadata: {} }) };
  }

  /** Waits as a cell does. */
  async #waiting<T>(value: Promise<T>): Promise<T> {
    const { begin: start, until, resume } = this.#runtime;
    return resume(await until(start(), value)) as T;
  }

  #remember(id: number, label: string, code: string): void {
    this.#codes.set(id, { label, code });
    if (this.#codes.size > REMEMBERED) this.#codes.delete(this.#codes.keys().next().value ?? 0);
  }
}
