import { dirname } from "node:path";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import type { Executor } from "tslab/dist/executor.js";
import type { CellError, ExpressionResult, Shown, ToExecutor } from "../wire/index.js";
import { tellFront } from "./channel.js";
import type { CellCompiler } from "./compiler/cell-compiler.js";
import { RUNTIME } from "./compiler/rewrite.js";
import { tslabModule } from "./compiler/typescript.js";
import { ErrorTeller, type CodeBook } from "./errors.js";
import { begin, currentExecution, Execution, InterruptedError, resume } from "./execution.js";
import { Imports } from "./imports.js";
import type { OfferedPackage } from "./packages.js";
import type { Lifeline } from "./lifeline.js";
import { render } from "./render/index.js";
import { TensorWatch } from "./tensors.js";

type ExecuteRequest = Extract<ToExecutor, { type: "execute" }>;

/** What tslab's executor has said of a cell: it prints what it was asked to show, and what went wrong. */
interface Said {
  value?: unknown;
  thrown?: { value: unknown };
}

interface Outcome {
  shown?: Shown;
  error?: CellError;
}

/** What a cell that was interrupted gets to end by itself, in milliseconds, once this thread has heard of it. */
const TORN_MS = 1000;

/** Executions whose code is kept for the frames of errors. */
const REMEMBERED = 2000;

/** Runs cells, one after the other, in tslab's executor. */
export class Cells implements CodeBook {
  readonly executor: Executor;
  readonly errors: ErrorTeller;
  readonly tensors = new TensorWatch(() => this.#safePoint());
  running: Execution | undefined;
  readonly #compiler: CellCompiler;
  readonly #lifeline: Lifeline;
  readonly #imports: Imports;
  readonly #codes = new Map<number, { label: string; code: string }>();
  #said: Said = {};

  /** `onTslab` is called before a cell gets tslab's own module. */
  constructor(
    compiler: CellCompiler,
    lifeline: Lifeline,
    packages: readonly OfferedPackage[],
    onTslab: () => void,
  ) {
    this.#compiler = compiler;
    this.#lifeline = lifeline;
    const converter = compiler.forExecutor();
    const { createExecutor } = tslabModule("executor") as typeof import("tslab/dist/executor.js");
    this.executor = createExecutor(
      compiler.cwd,
      { node: converter, browser: converter, close: () => converter.close() },
      {
        log: (value: unknown) => (this.#said.value = value),
        error: (...values: unknown[]) => {
          // A complaint about an in-memory module, which tslab takes in spite of it.
          if (values.length > 1) process.stderr.write(`${format(...values)}\n`);
          else this.#said.thrown = { value: values[0] };
        },
      },
    );
    this.#imports = new Imports(compiler.modules, compiler.cwd, packages, onTslab);
    this.errors = new ErrorTeller(compiler.ts, compiler.places, this, compiler.cwd);
    this.#extendRuntime();
  }

  cell(execution: number): { label: string; code: string } | undefined {
    return this.#codes.get(execution);
  }

  /** Ends the code of the running cell when it was interrupted: for loops of a library. */
  checkpoint(): void {
    this.#hearInterrupt();
    currentExecution().checkpoint();
  }

  /** Runs a cell and tells the front all about it: also when this fails, or whoever has sent it would wait for ever. */
  async run(request: ExecuteRequest): Promise<void> {
    try {
      await this.#run(request);
    } catch (reason) {
      this.#lifeline.leave();
      this.running = undefined;
      const error = this.errors.thrown(reason);
      tellFront({ type: "executed", execution: request.execution, error, expressions: {} });
    }
  }

  async #run(request: ExecuteRequest): Promise<void> {
    const { execution: id, code, silent, allowStdin } = request;
    const execution = new Execution(id, allowStdin, silent);
    const label = silent ? "In [ ]" : `In [${request.count}]`;
    this.#remember(id, label, code);
    begin(execution);
    this.running = execution;
    const before = this.tensors.before();
    const { shown, error } = await this.#orTorn(execution, this.#evaluate(execution, code));
    if (error) this.tensors.unwind(before);
    this.tensors.after(before, label);
    if (shown && !silent) tellFront({ type: "result", execution: id, ...shown });
    if (error) tellFront({ type: "error", execution: id, ...error });
    const expressions: Record<string, ExpressionResult> = {};
    for (const [name, expression] of error ? [] : Object.entries(request.expressions)) {
      expressions[name] = await this.#expression(execution, expression);
    }
    this.running = undefined;
    tellFront({ type: "executed", execution: id, ...(error ? { error } : {}), expressions });
  }

  /** As `checkpoint`, for code that does not ask: in the cell's own code only, and not again while that clears up. */
  #safePoint(): void {
    if (this.#hearInterrupt() && !this.running?.told) this.running?.checkpoint();
  }

  /** Also while this thread computes without a pause. Returns whether it does so for the cell. */
  #hearInterrupt(): boolean {
    return this.running !== undefined && this.#lifeline.hear(this.running.id);
  }

  /** A cell that was terminated from another thread never returns, nor does what waits for it. */
  async #orTorn<T extends { error?: CellError }>(execution: Execution, outcome: Promise<T>): Promise<T> {
    const torn = Promise.race([execution.interruption, execution.termination]).catch(
      async (reason: unknown) => {
        if (!this.#lifeline.terminated(execution.id)) await sleep(TORN_MS);
        this.#lifeline.leave();
        return { error: this.errors.thrown(reason) } as T; // Nothing else of an outcome is required.
      },
    );
    return Promise.race([outcome, torn]);
  }

  async #evaluate(execution: Execution, code: string): Promise<Outcome> {
    if (this.#isEmpty(code)) return {};
    const { value, error } = await this.#execute(execution, code);
    if (error || value === undefined || execution.silent) return error ? { error } : {};
    try {
      const shown = await Promise.race([render(value), execution.interruption]);
      return shown ? { shown } : {};
    } catch (reason) {
      return { error: this.errors.thrown(reason) };
    }
  }

  /** Without a single token there is nothing to compile and nothing to run; a documentation comment may mean something. */
  #isEmpty(code: string): boolean {
    if (code.includes("/**")) return false;
    const { ts } = this.#compiler;
    const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, code);
    return scanner.scan() === ts.SyntaxKind.EndOfFileToken;
  }

  async #execute(execution: Execution, code: string): Promise<{ value?: unknown; error?: CellError }> {
    this.#said = {};
    if (isDirective(code)) {
      await this.executor.execute(code);
      return {};
    }
    const compiled = this.#compiler.compile(code, execution.id);
    if (!compiled.ok) return { error: this.errors.diagnostics(compiled.diagnostics, execution.id) };
    await this.#imports.prepare(this.#compiler.ts, code);
    // An interrupt that came meanwhile is heard now, before the cell's code holds this thread.
    await setImmediate();
    if (execution.interrupted) return { error: this.errors.thrown(new InterruptedError()) };
    this.#lifeline.enter(execution.id);
    const ok = await this.executor.execute(code);
    this.#lifeline.leave();
    if (ok) this.#compiler.keepDeclarations();
    const { value, thrown } = this.#said;
    this.#said = {};
    if (ok) return { value };
    return { error: this.errors.thrown(execution.interrupted ? new InterruptedError() : thrown?.value) };
  }

  async #expression(execution: Execution, expression: string): Promise<ExpressionResult> {
    const outcome = this.#execute(execution, `(${expression})`);
    const { value, error } = await this.#orTorn(execution, outcome);
    if (error) return { status: "error", ...error };
    const shown = (await render(value ?? null)) ?? { data: { "text/plain": String(value) }, metadata: {} };
    return { status: "ok", ...shown };
  }

  #remember(id: number, label: string, code: string): void {
    this.#codes.set(id, { label, code });
    if (this.#codes.size > REMEMBERED) this.#codes.delete(this.#codes.keys().next().value ?? 0);
  }

  /** What rewritten cells call: see compiler/rewrite.ts. */
  #extendRuntime(): void {
    const runtime = Reflect.get(globalThis, RUNTIME) as Record<string, unknown>;
    Object.assign(runtime, {
      require: this.#imports.around(runtime["require"] as (id: string) => unknown),
      resume,
      importModule: (id: string) => this.#imports.importModule(id),
      meta: metaOf(`${this.#compiler.cwd}/cell.ts`),
      metaOf,
    });
  }
}

/** A cell that is an in-memory module by tslab's `@module`, or meant for a browser: tslab alone knows what to do with it. */
function isDirective(code: string): boolean {
  if (!/@(module|browser)\b/.test(code)) return false;
  const { getCodeMetadata } = tslabModule("metadata") as {
    getCodeMetadata: (code: string) => { module?: string; mode?: string };
  };
  const { module, mode } = getCodeMetadata(code);
  return module !== undefined || mode === "browser";
}

/** `import.meta` of a file. */
function metaOf(filename: string): object {
  return { url: pathToFileURL(filename).href, filename, dirname: dirname(filename) };
}
