/*
 * A process of its own, started with the name of a trial: runs it and prints what came of it as one line of JSON, or why
 * it was refused. Each loads only what it tries.
 */
import { messageOf } from "@alignscope/base/errors";

/** Side of the matrices that a backend multiplies. */
const SIDE = 512;

const NOTEBOOK = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: "alignscope", display_name: "", language: "typescript" } },
  cells: [
    { id: "sum", cell_type: "code", metadata: {}, source: "1 + 1", outputs: [], execution_count: null },
  ],
};

const TRIALS: Readonly<Record<string, (argument: string) => Promise<object>>> = { backend, blas, kernel };

/** Opens a backend and multiplies two matrices: a GPU backend takes memory as long as its process lives, and a driver may end it. */
async function backend(name: string): Promise<object> {
  const { openBackend } = await import("@alignscope/tensors");
  const opened = await openBackend(name);
  return { opened, product: { side: SIDE, ...(await product()) } };
}

async function product(): Promise<{ milliseconds: number; right: boolean }> {
  const tf = await import("@tensorflow/tfjs-core");
  const a = tf.fill([SIDE, SIDE], 0.5);
  const times: number[] = [];
  let right = true;
  // The first compiles kernels; the best of the others is the backend's.
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    const c = tf.matMul(a, a);
    const values = await c.data();
    times.push(performance.now() - start);
    right &&= values.length === SIDE * SIDE && Math.abs((values[0] ?? 0) - SIDE / 4) < 1e-3;
    c.dispose();
    if (times.reduce((sum, time) => sum + time, 0) > 2000) break;
  }
  return { milliseconds: Math.min(...times.slice(times.length > 1 ? 1 : 0)), right };
}

/** Loads the system's BLAS, whatever library that is. */
async function blas(): Promise<object> {
  const { findBlas } = await import("@alignscope/tensors/wasm/blas");
  const { blas: found, reason } = findBlas();
  return found ? { name: found.name, threads: found.threads, file: found.file } : { refused: reason };
}

/** Starts the project's kernel and has it answer 1 + 1. */
async function kernel(): Promise<object> {
  const { parseNotebook } = await import("jupyter-wire");
  const { executeNotebook } = await import("papermill-ts");
  const start = performance.now();
  let ready = start;
  let implementation: string | null = null;
  const run = await executeNotebook(parseNotebook(JSON.stringify(NOTEBOOK), "1 + 1"), null, {
    startTimeout: 15,
    onEvent: (event) => {
      if (event.type !== "kernel-ready") return;
      ready = performance.now();
      ({ implementation } = event);
    },
  });
  const [cell] = run.cells;
  const outputs = cell?.cell_type === "code" ? cell.outputs : [];
  const answer = JSON.stringify(outputs).includes('"2"') ? "2" : JSON.stringify(outputs).slice(0, 200);
  return {
    implementation,
    answer,
    startMilliseconds: ready - start,
    answerMilliseconds: performance.now() - ready,
  };
}

const [, , name = "", argument = ""] = process.argv;
const trial = TRIALS[name];
if (!trial) throw new Error(`no trial "${name}" (there are ${Object.keys(TRIALS).join(", ")})`);
const said = await trial(argument).catch((error: unknown) => ({ refused: messageOf(error) }));
// What was opened may hold the process: it ends once that is out.
process.stdout.write(`\nTRIAL ${JSON.stringify(said)}\n`, () => process.exit(0));
