import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach } from "vitest";
import { type Notebook, readNotebook, writeNotebook } from "../../src/jupyter/index.js";
import {
  openProject,
  type Project,
  type ProjectOptions,
  type ReproduceOptions,
} from "../../src/pipeline/index.js";
import { PapermillExecutionError } from "../../src/papermill/index.js";

const temporary: string[] = [];

afterEach(() => {
  for (const folder of temporary.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder of its own for one test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "alignscope-test-"));
  temporary.push(folder);
  return folder;
}

/** A copy of the fixture series, to be changed at will, and a place for its results. */
export class Series {
  readonly folder = join(temporaryFolder(), "notebooks");
  readonly outputs = join(dirname(this.folder), "outputs");

  constructor() {
    cpSync(join(import.meta.dirname, "fixtures", "series"), this.folder, { recursive: true });
  }

  open(options: ProjectOptions = {}): Promise<Project> {
    const pipeline = join(this.folder, "pipeline.yaml");
    return openProject({ profile: "small", outputs: this.outputs, pipeline, ...options });
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** Changes a file of the series. */
  edit(name: string, change: (text: string) => string): void {
    writeFileSync(this.file(name), change(readFileSync(this.file(name), "utf8")));
  }

  result(path: string): string {
    return readFileSync(join(this.outputs, path), "utf8");
  }
}

/**
 * Does what the fixture's notebooks say, without a kernel, and notes what it was asked to run.
 *
 * @param failing names of notebooks that fail after they have written their files
 */
export function pretendToRun(failing: readonly string[] = []): {
  ran: { name: string; parameters: Record<string, unknown> }[];
  execute: NonNullable<ReproduceOptions["execute"]>;
} {
  const ran: { name: string; parameters: Record<string, unknown> }[] = [];
  const execute: NonNullable<ReproduceOptions["execute"]> = (input, output, options) => {
    const path = input as string;
    const name = basename(path, ".ipynb");
    const parameters = { ...options?.parameters } as { outputs?: string; count?: number };
    ran.push({ name, parameters });
    const notebook = readNotebook(path);
    // As the runner puts it in: the executed notebook speaks of the folder that it was told.
    notebook.metadata["papermill"] = { parameters: { outputs: parameters.outputs ?? null } };
    if (output) writeNotebook(output, notebook);
    const outputs = parameters.outputs ?? "";
    const write = (file: string, text: string): void => {
      mkdirSync(dirname(join(outputs, file)), { recursive: true });
      writeFileSync(join(outputs, file), text);
    };
    const read = (file: string): string => readFileSync(join(outputs, "artifacts", file), "utf8");
    const count = parameters.count ?? 1;
    if (name === "1-first") {
      write("artifacts/numbers.json", JSON.stringify(Array.from({ length: count }, (_, i) => i + 1)));
      write(`figures/dots-${count}.svg`, "<svg/>");
    }
    if (name === "2-middle")
      write("artifacts/sum.json", String((JSON.parse(read("numbers.json")) as number[]).length));
    if (name === "3-last") write("tables/sum.csv", read("sum.json"));
    if (failing.includes(name)) return Promise.reject(cellFailure(notebook));
    return Promise.resolve(notebook);
  };
  return { ran, execute };
}

function cellFailure(notebook: Notebook): PapermillExecutionError {
  return new PapermillExecutionError({
    cellIndex: 1,
    executionCount: 2,
    source: notebook.cells[1]?.source ?? "",
    ename: "RangeError",
    evalue: "count is -1, expected 0 or more",
    traceback: ["RangeError: count is -1, expected 0 or more", "    at cell"],
  });
}
