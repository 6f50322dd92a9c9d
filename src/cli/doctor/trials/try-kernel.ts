/* A process of its own: starts the project's kernel, has it answer 1 + 1 and prints what came of it as one line of JSON. */
import { messageOf } from "@alignscope/base/errors";
import { parseNotebook } from "jupyter-wire";
import { executeNotebook } from "papermill-ts";

const NOTEBOOK = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: "alignscope", display_name: "", language: "typescript" } },
  cells: [
    { id: "sum", cell_type: "code", metadata: {}, source: "1 + 1", outputs: [], execution_count: null },
  ],
};

async function main(): Promise<object> {
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

void main().then(
  (said) => leave(said),
  (error: unknown) => leave({ refused: messageOf(error) }),
);

function leave(said: object): void {
  process.stdout.write(`\nTRIAL ${JSON.stringify(said)}\n`, () => process.exit(0));
}
