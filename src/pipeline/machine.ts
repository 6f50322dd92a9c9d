import { hostname } from "node:os";
import type { Json, Notebook } from "jupyter-wire";
import { peakBytes, processTree, residentBytes } from "@alignscope/base/process-tree";
import type { RunnerEvent } from "papermill-ts";
import { STUDY_MIME } from "../present/notebook.js";
import { type GitState, projectVersion } from "./provenance.js";

/** What a notebook was computed on, for the manifest. */
export interface Machine {
  alignscope: string;
  git: GitState;
  node: string;
  platform: string;
  host: string;
  /** The kernel by its own account, "alignscope 0.1.0"; null where it did not say. */
  kernel: string | null;
  /** As the notebook said when it opened it; null for a notebook that opens none. */
  backend: string | null;
  device: string | null;
  driver: string | null;
  blas: string | null;
  threads: number | null;
  /** The model that it opened, with the checksum of its files. */
  model: { name: string; sha256: string } | null;
  /** The most memory that the kernel and what it started had resident, in bytes, looked at every second; 0 where unknown. */
  peakBytes: number;
}

/** Milliseconds between two looks at a kernel's memory. */
const LOOK_EVERY = 1000;

/** Watches one notebook's kernel through the runner's events. */
export class KernelWatch {
  private kernel: string | null = null;
  private pid: number | null = null;
  private peak = 0;
  private clock: NodeJS.Timeout | undefined;

  report(event: RunnerEvent): void {
    if (event.type === "kernel-ready") {
      this.kernel = event.implementation;
      this.pid = event.pid;
      this.clock = setInterval(() => this.look(), LOOK_EVERY);
      this.clock.unref();
    }
    if (event.type === "kernel-ready" || event.type === "cell-finished") this.look();
  }

  stop(): void {
    clearInterval(this.clock);
  }

  /** @param notebook as executed; undefined where it is lost */
  seen(notebook: Notebook | undefined, git: GitState): Machine {
    const { backend, model } = notebook ? studyOf(notebook) : {};
    return {
      alignscope: projectVersion(),
      git,
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      host: hostname(),
      kernel: this.kernel,
      backend: textOf(backend?.["backend"]),
      device: textOf(backend?.["device"]),
      driver: textOf(backend?.["driver"]),
      blas: textOf(backend?.["blas"]),
      threads: typeof backend?.["threads"] === "number" ? backend["threads"] : null,
      model: model ? { name: textOf(model["name"]) ?? "", sha256: textOf(model["sha256"]) ?? "" } : null,
      peakBytes: this.peak,
    };
  }

  private look(): void {
    if (this.pid === null) return;
    const tree = processTree(this.pid);
    // The kernel's own mark of the highest water has what lay between two looks; its processes together are looked at.
    this.peak = Math.max(this.peak, residentBytes(tree), ...tree.map(peakBytes));
  }
}

type Fields = Record<string, Json | undefined>;

/** What the notebook's opening cell says under {@link STUDY_MIME}. */
function studyOf(notebook: Notebook): { backend?: Fields; model?: Fields } {
  for (const cell of notebook.cells) {
    for (const output of cell.cell_type === "code" ? cell.outputs : []) {
      const said = "data" in output ? (output.data as Fields | undefined)?.[STUDY_MIME] : undefined;
      if (isFields(said)) {
        const { backend, model } = said;
        return { ...(isFields(backend) ? { backend } : {}), ...(isFields(model) ? { model } : {}) };
      }
    }
  }
  return {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
