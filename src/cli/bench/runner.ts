import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { messageOf } from "@alignscope/base/errors";
import { projectRoot } from "@alignscope/base/paths";
import { findKernelspec, writeNotebook, type Cell, type Kernelspec, type Notebook } from "jupyter-wire";
import { executeNotebook } from "papermill-ts";

/** What one runner takes for notebooks in one kernel, in seconds; medians over the runs. */
export interface RunnerFigures {
  runner: string;
  kernel: string;
  /** A notebook of one small cell, from reading it to the end of its kernel. */
  oneCell: number;
  /** A notebook of many. */
  manyCells: number;
  cells: number;
  /** What each further cell costs: its round trip, its outputs and its saves. */
  perCell: number;
}

/** Python's runners, by the names that notebook_peer.py knows them by. */
const PEERS = ["papermill", "nbclient-saving", "nbclient"] as const;
type PeerName = (typeof PEERS)[number];

/**
 * Times papermill-ts and Python's runners, those that are there, on the same notebooks, in turns: papermill, nbclient
 * with papermill's writes around every cell, and nbclient as it comes, which writes once.
 *
 * @param onPeerAbsent told once of each peer that is not there, or fails, and why
 */
export async function benchRunner(
  kernel: string,
  cells: number,
  runs: number,
  onPeerAbsent: (peer: string, why: string) => void,
): Promise<RunnerFigures[]> {
  const spec = findKernelspec(kernel);
  const folder = mkdtempSync(join(tmpdir(), "bench-runner-"));
  const times = new Map<string, { one: number[]; many: number[] }>();
  const note = (runner: string, size: "one" | "many", seconds: number): void => {
    const own = times.get(runner) ?? { one: [], many: [] };
    own[size].push(seconds);
    times.set(runner, own);
  };
  const peers = new Set(PEERS);
  try {
    const notebooks = { one: join(folder, "one.ipynb"), many: join(folder, "many.ipynb") };
    writeNotebook(notebooks.one, notebookOf(spec, 1));
    writeNotebook(notebooks.many, notebookOf(spec, cells));
    for (let run = 0; run < runs; run++) {
      for (const size of ["one", "many"] as const) {
        const output = join(folder, `out-${size}.ipynb`);
        const begun = performance.now();
        await executeNotebook(notebooks[size], output, { cwd: projectRoot() });
        note("papermill-ts", size, (performance.now() - begun) / 1000);
        for (const name of peers) {
          const end = await runPeer(name, notebooks[size], output);
          if ("peer" in end) note(end.peer, size, end.seconds);
          else {
            onPeerAbsent(name, end.absent);
            peers.delete(name);
          }
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return [...times].map(([runner, { one, many }]) => {
    const oneCell = middle(one);
    const manyCells = middle(many);
    const perCell = (manyCells - oneCell) / Math.max(1, cells - 1);
    return { runner, kernel, oneCell, manyCells, cells, perCell };
  });
}

/** Debian's Python first: its packages include nbclient. */
const PYTHONS = ["/usr/bin/python3", "python3"];
const execute = promisify(execFile);

type PeerEnd = { peer: string; seconds: number } | { absent: string };

async function runPeer(name: PeerName, input: string, output: string): Promise<PeerEnd> {
  const script = join(projectRoot(), "src", "cli", "bench", "notebook_peer.py");
  const python = PYTHONS.find((each) => !each.startsWith("/") || existsSync(each)) ?? "python3";
  try {
    // The project's own kernels are found by Jupyter as well.
    const path = [projectRoot(), ...(process.env["JUPYTER_PATH"] ? [process.env["JUPYTER_PATH"]] : [])];
    const env = { ...process.env, JUPYTER_PATH: path.join(delimiter) };
    const { stdout } = await execute(python, [script, name, input, output], { cwd: projectRoot(), env });
    return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as PeerEnd;
  } catch (error) {
    // The last line of a Python traceback is the one that says what happened.
    const { stderr = "" } = error as { stderr?: string };
    return { absent: stderr.trimEnd().split("\n").at(-1) || messageOf(error) };
  }
}

/** Small cells with a result each, as notebooks have them. */
function notebookOf(spec: Kernelspec, count: number): Notebook {
  const code = (n: number): string =>
    spec.language === "python" ? `v${n % 5} = ${n}; v${n % 5} + 1` : `const v${n % 5} = ${n}; v${n % 5} + 1`;
  const cells = Array.from({ length: count }, (_, n): Cell => {
    const id = `cell-${n}`;
    return { cell_type: "code", id, metadata: {}, source: code(n), execution_count: null, outputs: [] };
  });
  const kernelspec = { name: spec.name, display_name: spec.name, language: spec.language };
  return { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells };
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
