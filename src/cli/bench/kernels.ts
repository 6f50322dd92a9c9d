import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "@alignscope/base/errors";
import { projectRoot } from "@alignscope/base/paths";
import { processTree, residentBytes } from "@alignscope/base/process-tree";
import { findKernelspec, type JupyterMessage, type Kernelspec } from "jupyter-wire";
import { KernelSession } from "papermill-ts/kernel-session";
import { median } from "@alignscope/tensors/vectors";

/** What one kernel takes, as a client sees it: over its sockets. Times in seconds, medians where a thing is done often. */
export interface KernelFigures {
  kernel: string;
  /** From the start of the process to the answer to the first question. */
  ready: number;
  /** From the start of the process to the end of the first cell. */
  firstCell: number;
  emptyCell: number;
  smallCell: number;
  /** The cell that imports this project's library with its types; null where the language is another. */
  libraryImport: number | null;
  /** A cell that prints 100,000 lines in one loop. */
  manyLines: number;
  /** Of these lines, how many arrived. */
  linesArrived: number;
  /** Resident memory of the idle kernel's processes together, before the first cell, in bytes. */
  idleBytes: number;
  /** The first question for completions, of a kernel that has been up for {@link REST}. */
  firstCompletion: number;
  /** The 200th of cells that each declare names and use those of the one before. */
  laterCell: number;
  /** Resident memory after 500 such cells, in bytes. */
  laterBytes: number;
}

const LINES = 100_000;
/** Cells timed for a median. */
const CELLS = 20;
/** Milliseconds until a kernel that has just started has come to rest. */
const REST = 5000;
/** Declaring cells of a long notebook, and which of them are timed. */
const LONG = { cells: 500, from: 190, to: 210 };

interface Dialect {
  empty: string;
  small: (n: number) => string;
  declaring: (n: number) => string;
  lines: string;
  library: string | null;
}

const TYPESCRIPT: Dialect = {
  empty: "",
  small: (n) => `const v${n % 5} = ${n}; v${n % 5} + 1`,
  declaring: (n) =>
    n === 0
      ? "const v0 = { n: 0 }; function f0(x: number) { return x; }"
      : `const v${n} = { ...v${n - 1}, n: ${n} }; function f${n}(x: number) { return f${n - 1}(x) + v${n}.n; }`,
  lines: `for (let line = 0; line < ${LINES}; line++) console.log("line", line);`,
  library: 'import { openStudy } from "alignscope"; typeof openStudy',
};

const PYTHON: Dialect = {
  empty: "",
  small: (n) => `v${n % 5} = ${n}; v${n % 5} + 1`,
  declaring: (n) =>
    n === 0
      ? "v0 = dict(n=0)\ndef f0(x): return x"
      : `v${n} = dict(v${n - 1}, n=${n})\ndef f${n}(x): return f${n - 1}(x) + v${n}["n"]`,
  lines: `for line in range(${LINES}): print("line", line)`,
  library: null,
};

/**
 * Times kernels, `runs` starts each, in turns, so that a noisy machine is as noisy for each.
 *
 * @throws UserError for a kernel that is not there
 */
export async function benchKernels(
  names: readonly string[],
  runs: number,
  onFigures: (figures: KernelFigures) => void,
): Promise<KernelFigures[]> {
  const specs = names.map(specOf);
  const all = new Map<string, KernelFigures[]>();
  for (let run = 0; run < runs; run++) {
    for (const spec of specs) {
      const figures = await timeKernel(spec);
      onFigures(figures);
      all.set(spec.name, [...(all.get(spec.name) ?? []), figures]);
    }
  }
  return [...all.values()].map(medians);
}

function specOf(name: string): Kernelspec {
  if (name !== "tslab") return findKernelspec(name);
  const tslab = join(dirname(createRequire(import.meta.url).resolve("tslab/package.json")), "bin", "tslab");
  if (!existsSync(tslab)) {
    throw new UserError(
      `tslab's kernel is missing: ${tslab} (a pack carries its API alone; use a full install)`,
    );
  }
  return {
    ...findKernelspec("alignscope"),
    name: "tslab",
    argv: ["node", tslab, "kernel", "--config-path", "{connection_file}"],
    interruptMode: "signal",
  };
}

async function timeKernel(spec: Kernelspec): Promise<KernelFigures> {
  const dialect = spec.language === "python" ? PYTHON : TYPESCRIPT;
  const options = { cwd: projectRoot(), environment: {}, startTimeout: 60, onWarning: () => undefined };

  const cold = performance.now();
  const session = await KernelSession.start(spec, options);
  const ready = seconds(cold);
  try {
    await run(session, dialect.small(0));
    const firstCell = seconds(cold);
    const emptyCell = await medianSeconds(session, () => dialect.empty);
    const smallCell = await medianSeconds(session, dialect.small);
    const libraryImport = dialect.library === null ? null : (await run(session, dialect.library)).seconds;
    const lines = await run(session, dialect.lines);
    return {
      kernel: spec.name,
      ready,
      firstCell,
      emptyCell,
      smallCell,
      libraryImport,
      manyLines: lines.seconds,
      linesArrived: lines.text.split("\n").length - 1,
      ...(await timeLongSession(spec, dialect, options)),
    };
  } finally {
    await session.shutdown();
  }
}

/** Of a kernel that has only started, for a front end opens many that are hardly used; and of one in long use. */
async function timeLongSession(
  spec: Kernelspec,
  { declaring }: Dialect,
  options: Parameters<typeof KernelSession.start>[1],
): Promise<Pick<KernelFigures, "idleBytes" | "firstCompletion" | "laterCell" | "laterBytes">> {
  const session = await KernelSession.start(spec, options);
  const bytes = (): number => (session.pid === undefined ? 0 : residentBytes(processTree(session.pid)));
  try {
    // The answer to a question about code shows that all of it is there.
    await run(session, "");
    await sleep(REST);
    const idleBytes = bytes();
    const begun = performance.now();
    await session.ask("complete_request", { code: "Math.", cursor_pos: 5 });
    const firstCompletion = seconds(begun);
    const times: number[] = [];
    for (let n = 0; n < LONG.cells; n++) times.push((await run(session, declaring(n))).seconds);
    const laterCell = median(times.slice(LONG.from, LONG.to));
    return { idleBytes, firstCompletion, laterCell, laterBytes: bytes() };
  } finally {
    await session.shutdown();
  }
}

async function medianSeconds(session: KernelSession, code: (n: number) => string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < CELLS; n++) times.push((await run(session, code(n))).seconds);
  return median(times);
}

async function run(session: KernelSession, code: string): Promise<{ seconds: number; text: string }> {
  const texts: string[] = [];
  const begun = performance.now();
  const end = await session.execute(code, ({ header, content }: JupyterMessage) => {
    if (header.msg_type === "stream") texts.push(String(content["text"]));
  });
  if (end.type !== "replied" || end.reply.content["status"] !== "ok") {
    throw new UserError(`a cell of the bench failed (${end.type}): ${code.slice(0, 60)}`);
  }
  return { seconds: seconds(begun), text: texts.join("") };
}

function seconds(begun: number): number {
  return (performance.now() - begun) / 1000;
}

function medians(runs: readonly KernelFigures[]): KernelFigures {
  const of = (pick: (figures: KernelFigures) => number): number => median(runs.map(pick));
  const [first] = runs;
  if (!first) throw new Error("no runs");
  return {
    kernel: first.kernel,
    ready: of((one) => one.ready),
    firstCell: of((one) => one.firstCell),
    emptyCell: of((one) => one.emptyCell),
    smallCell: of((one) => one.smallCell),
    libraryImport: first.libraryImport === null ? null : of((one) => one.libraryImport ?? NaN),
    manyLines: of((one) => one.manyLines),
    linesArrived: Math.min(...runs.map((one) => one.linesArrived)),
    idleBytes: of((one) => one.idleBytes),
    firstCompletion: of((one) => one.firstCompletion),
    laterCell: of((one) => one.laterCell),
    laterBytes: of((one) => one.laterBytes),
  };
}
