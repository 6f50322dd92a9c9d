import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openProgress } from "../../src/cli/progress.js";
import type { CodeCell } from "../../src/jupyter/index.js";
import type { GraphNotebook, PipelineEvent } from "../../src/pipeline/index.js";

const notebook: GraphNotebook = { name: "3.1-vectors", title: "", path: "", needs: [], makes: [], weight: 1 };
const cell: CodeCell = {
  cell_type: "code",
  id: "a",
  source: "",
  metadata: {},
  execution_count: null,
  outputs: [],
};
const position = { index: 1, total: 9, codeIndex: 2, codeTotal: 4, description: "train the probe", cell };

const events: PipelineEvent[] = [
  { type: "notebook-started", notebook, reasons: ["its code changed"] },
  { type: "runner", notebook, event: { type: "cell-started", ...position } },
  {
    type: "runner",
    notebook,
    event: { type: "cell-finished", status: "completed", seconds: 3, ...position },
  },
  { type: "notebook-ended", notebook, result: { result: "ran", seconds: 75, cells: 4 } },
];

async function show(isTTY: boolean): Promise<string> {
  const stream = new PassThrough();
  const chunks: string[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
  Object.assign(stream, { isTTY, columns: 120, cursorTo: write, moveCursor: write, clearLine: write });
  function write(): boolean {
    return true;
  }
  const planned = [{ notebook, action: "run" as const, reasons: [], parameters: {}, lastSeconds: undefined }];
  const progress = openProgress(planned, stream as unknown as typeof process.stderr);
  for (const event of events) {
    progress.report(event);
    await new Promise((resolve) => setTimeout(resolve, 250)); // a bar is drawn several times a second
  }
  progress.stop();
  return stripVTControlCharacters(chunks.join(""));
}

afterEach(() => vi.unstubAllEnvs());

describe("the progress of a run", () => {
  it("is a line for every notebook and cell where nobody watches", async () => {
    expect((await show(false)).split("\n")).toEqual([
      "3.1-vectors: running (its code changed)",
      "3.1-vectors: cell 2/4, 3 s: train the probe",
      "3.1-vectors: done in 1 min 15 s",
      "",
    ]);
  });

  it("is a bar for the run and one for each running notebook on a terminal, with its cell", async () => {
    vi.stubEnv("CI", "");
    const shown = await show(true);
    expect(shown).toContain("0 of 1 notebooks");
    expect(shown).toContain("3.1-vectors  cell 2/4  train the probe");
    expect(shown).toContain("3.1-vectors: done in 1 min 15 s");
  });

  it("is lines on a terminal of a CI machine as well", async () => {
    vi.stubEnv("CI", "true");
    expect(await show(true)).not.toContain("[");
  });
});
