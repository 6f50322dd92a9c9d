import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { papermill } from "../../src/papermill/command/papermill.js";
import { formatNotebook, readNotebook } from "../../src/jupyter/index.js";
import { executeNotebook, registerEngine, type ExecuteOptions } from "../../src/papermill/index.js";
import type { Engine } from "../../src/papermill/engine.js";
import { finishCell, startCell } from "../../src/papermill/papermill-metadata.js";
import { codeCells, notebookOf } from "./notebooks.js";

const folder = mkdtempSync(join(tmpdir(), "engines-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs no code: it writes down what it was given, and leaves the source in capitals as each cell's output. */
function shouting(): Engine & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    needsKernel: false,
    execute({ notebook, spec, options }) {
      asked.push(`${spec?.name ?? "no kernel"}, ${options.engineName}`);
      for (const cell of codeCells(notebook)) {
        startCell(cell);
        cell.outputs = [{ output_type: "stream", name: "stdout", text: cell.source.toUpperCase() }];
        finishCell(cell, "completed", false);
      }
      return Promise.resolve({ languageInfo: { name: "shouted" } });
    },
  };
}

const run = (options: ExecuteOptions) => executeNotebook(notebookOf(["hello"], "none-such"), null, options);

describe("an engine that was registered", () => {
  it("is used by its name, gets the notebook with its parameters in, and needs no kernel", async () => {
    const engine = shouting();
    registerEngine("shouting", engine);
    const done = await run({ engineName: "shouting", parameters: { a: 1 }, language: "typescript" });
    expect(engine.asked).toEqual(["no kernel, shouting"]);
    const texts = codeCells(done).map((cell) => cell.outputs);
    expect(texts).toEqual(
      ["// PARAMETERS\nCONST A = 1;\n", "HELLO"].map((text) => [
        { output_type: "stream", name: "stdout", text },
      ]),
    );
    expect(done.metadata.language_info).toEqual({ name: "shouted" });
    expect(done.metadata["papermill"]).toMatchObject({
      exception: null,
      duration: expect.any(Number) as number,
    });
  });

  it("replaces one of the same name", async () => {
    const [first, second] = [shouting(), shouting()];
    registerEngine("twice", first);
    registerEngine("twice", second);
    await run({ engineName: "twice" });
    expect([first.asked.length, second.asked.length]).toEqual([0, 1]);
  });

  it("that throws leaves a notebook that says so", async () => {
    const broken = { needsKernel: false, execute: () => Promise.reject(new Error("out of order")) };
    registerEngine("broken", broken);
    const output = join(folder, "broken.ipynb");
    const running = executeNotebook(notebookOf(["hello"], "none-such"), output, { engineName: "broken" });
    await expect(running).rejects.toThrow("out of order");
    expect(readNotebook(output).metadata["papermill"]).toMatchObject({
      exception: true,
      end_time: expect.any(String) as string,
    });
  });
});

describe("an engine that nobody registered", () => {
  it("is refused in one line that names those there are", async () => {
    registerEngine("third", shouting());
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await expect(run({ engineName: "nope" })).rejects.toThrow(
      /^no engine named 'nope' \(found papermill-ts, nbclient, .*third\)$/,
    );
    const input = join(folder, "in.ipynb");
    writeFileSync(input, formatNotebook(notebookOf(["1"])));
    expect(await papermill([input, "-", "--engine", "nope"])).toBe(1);
    expect(error.mock.calls).toEqual([[expect.stringMatching(/^papermill-ts: no engine named 'nope'.*$/)]]);
    error.mockRestore();
  });
});
