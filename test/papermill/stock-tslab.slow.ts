import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { executeNotebook, type RunnerEvent } from "../../src/papermill/index.js";
import { codeCells, notebookOf, printed } from "./notebooks.js";
import { useStockTslab } from "./stock-tslab-kernel.js";

// tslab as it is installed by its own command, without what this project's kernel adds.
const folder = mkdtempSync(join(tmpdir(), "stock-tslab-"));
let restore = (): void => undefined;
beforeAll(() => {
  restore = useStockTslab(folder);
});
afterAll(() => {
  restore();
  rmSync(folder, { recursive: true });
});

it("a kernel that loses output in a burst is survived, and the cell and the log say so", async () => {
  const warnings: string[] = [];
  const onEvent = (event: RunnerEvent) => void (event.type === "warning" && warnings.push(event.message));
  const cells = [
    "for (let line = 0; line < 3000; line++) console.log(line);",
    "for (let line = 0; line < 300; line++) console.log(line);",
  ];
  const done = await executeNotebook(notebookOf(cells, "tslab"), null, { cwd: projectRoot(), onEvent });
  const [burst, next] = codeCells(done);
  expect(printed(burst).split("\n").length).toBeLessThan(3000);
  expect(printed(burst, "stderr")).toContain("Output of this cell may be missing here");
  expect(burst?.metadata["papermill-ts"]).toEqual({ truncated: true });
  expect(warnings).toEqual([expect.stringContaining("may be incomplete: for (let line")]);
  expect(printed(next).split("\n")).toHaveLength(301);
  expect(next?.metadata["papermill-ts"]).toBeUndefined();
});
