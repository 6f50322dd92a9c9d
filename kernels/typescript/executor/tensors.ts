/** The parts of tfjs' engine that are looked at; all copies of tfjs in a process share one. */
interface Engine {
  memory(): { numTensors: number; numBytes: number };
  startScope(...args: unknown[]): void;
  makeTensor(...args: unknown[]): unknown;
  endScope(result?: unknown): void;
  state: {
    scopeStack: unknown[];
    activeTape: unknown;
    gradientDepth: number;
    kernelDepth: number;
    activeScope: unknown;
  };
}

/** How things stood before a cell. */
export interface TensorCount {
  engine: Engine | undefined;
  scopes: number;
  tensors: number;
  bytes: number;
}

/** What a cell has left behind: tensors that neither it nor `tidy` has disposed. */
export interface TensorsKept {
  cell: string;
  tensors: number;
  bytes: number;
}

/** Cells remembered for the report. */
const REMEMBERED = 1000;

/** Where tfjs keeps the engine that all its copies share. */
const ENGINE = "_tfengine";

function engineOf(): Engine | undefined {
  return Reflect.get(globalThis, ENGINE) as Engine | undefined;
}

/** Keeps the books of tfjs' tensors cell by cell, and puts the engine right after a cell that was torn out of its work. */
export class TensorWatch {
  readonly kept: TensorsKept[] = [];

  /**
   * `safePoint` is called before each operation and each `tidy` of tfjs, and before each tensor that is made outside of them.
   * It may throw: nothing has begun there, and tfjs clears up as after any error. A cell that is torn out of tfjs' own
   * bookkeeping leaves wrong counts behind.
   */
  constructor(safePoint: () => void) {
    let engine: Engine | undefined;
    Object.defineProperty(globalThis, ENGINE, {
      configurable: true,
      enumerable: true,
      get: () => engine,
      set(made: Engine) {
        engine = made;
        callFirst(safePoint, made, "startScope");
        callFirst(safePoint, made, "makeTensor");
      },
    });
  }

  before(): TensorCount {
    const engine = engineOf();
    const { tensors, bytes } = this.now();
    return { engine, scopes: engine?.state.scopeStack.length ?? 0, tensors, bytes };
  }

  /** Notes what the cell has added or disposed. */
  after(before: TensorCount, cell: string): void {
    const { tensors, bytes } = this.now();
    if (tensors === before.tensors && bytes === before.bytes) return;
    this.kept.push({ cell, tensors: tensors - before.tensors, bytes: bytes - before.bytes });
    if (this.kept.length > REMEMBERED) this.kept.shift();
  }

  now(): { tensors: number; bytes: number } {
    const engine = engineOf();
    try {
      const memory = engine?.memory();
      return { tensors: memory?.numTensors ?? 0, bytes: memory?.numBytes ?? 0 };
    } catch {
      return { tensors: 0, bytes: 0 }; // No backend was chosen yet.
    }
  }

  /**
   * Ends the scopes that a failed cell has opened, with the tensors in them, and drops its tape. tfjs does it by itself when
   * an error passes through `tidy`; an interrupt passes through nothing, and would leave the tape recording for ever.
   */
  unwind(before: TensorCount): void {
    const engine = before.engine ?? engineOf();
    if (!engine) return;
    const { state } = engine;
    while (state.scopeStack.length > before.scopes) engine.endScope();
    state.gradientDepth = 0;
    state.kernelDepth = 0;
    state.activeTape = null;
  }
}

/** Has `first` called before each call of a method. */
function callFirst<K extends "startScope" | "makeTensor">(first: () => void, engine: Engine, name: K): void {
  const method = engine[name].bind(engine);
  engine[name] = (...args: unknown[]) => {
    first();
    return method(...args);
  };
}
