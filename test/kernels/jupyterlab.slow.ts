import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { codeCells } from "../papermill/notebooks.js";
import { BrowserSession } from "./browser-session.js";
import { labTestsMissing, startJupyterLab } from "./jupyter-server.js";
import { LabPage } from "./lab-page.js";

/* What a person sees who works with the kernel in JupyterLab 4. */

const missing = labTestsMissing();

// On a busy machine a test that starts a kernel and loads the library may take a while.
const patient = { timeout: 300_000 };

describe.skipIf(missing !== undefined)(`a notebook in JupyterLab (${missing ?? "here"})`, patient, () => {
  const session = new BrowserSession("jupyterlab", startJupyterLab, LabPage.open);
  const { folder, notebooks } = session;
  let notebook: LabPage;
  beforeAll(() => {
    notebook = session.notebook;
  });

  it("opens with its kernel, and shows a cell's value", async () => {
    expect(await notebook.kernelName.innerText()).toContain("TypeScript (alignscope)");
    expect(await notebook.dialog.count()).toBe(0);
    await notebook.run(0, "40 + 2");
    expect(await notebook.result(0).innerText()).toBe("42");
  });

  it("completes a name in code", async () => {
    await notebook.run(0, "const probe = { accuracy: 0.9, weights: [1, 2] };");
    await notebook.write(1, "probe.");
    expect(await notebook.complete()).toEqual(expect.arrayContaining(["accuracy", "weights"]));
    await notebook.page.keyboard.type("w");
    await notebook.page.keyboard.press("Enter");
    await expect.poll(() => notebook.code(1)).toBe("probe.weights");
  });

  it("completes a module's name in a string that is begun, without saying it twice", async () => {
    await notebook.write(1, 'import { readFileSync } from "node:f');
    expect(await notebook.complete()).toEqual(["node:fs", "node:fs/promises"]);
    await notebook.page.keyboard.press("Enter");
    await expect.poll(() => notebook.code(1)).toBe('import { readFileSync } from "node:fs');
  });

  it("draws a Vega-Lite chart that answers the mouse", async () => {
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v5.json",
      title: "Toxicity by layer",
      width: 300,
      height: 200,
      data: { values: [1, 2, 3, 4].map((layer) => ({ layer, toxicity: layer ** 2 })) },
      mark: { type: "bar", color: "#4c78a8", tooltip: true },
      encoding: {
        x: { field: "layer", type: "ordinal" },
        y: { field: "toxicity", type: "quantitative" },
      },
    };
    await notebook.run(0, `(${JSON.stringify(spec, null, 2)})`);
    const chart = notebook.charts;
    await chart.waitFor();
    const box = await chart.boundingBox();
    expect(box?.width).toBeGreaterThan(300);
    expect(box?.height).toBeGreaterThan(200);
    expect(await shareOf(chart, [0x4c, 0x78, 0xa8])).toBeGreaterThan(0.1);
    // The highest bar is the last one.
    await chart.hover({ position: { x: box!.width - 45, y: box!.height / 2 } });
    const tooltip = notebook.page.locator("#vg-tooltip-element.visible");
    await tooltip.waitFor();
    expect((await tooltip.innerText()).replace(/\s+/g, " ")).toBe("layer 4 toxicity 16");
  });

  it("interrupts a loop without end by the toolbar's button; the next cell runs", async () => {
    const before = await notebook.start(0, 'console.log("round and round");\nwhile (true) {}');
    await notebook.stdout(0).getByText("round and round").waitFor();
    await notebook.clickInterrupt();
    await notebook.over(0, before);
    expect(await notebook.error(0).innerText()).toContain("InterruptedError: the cell was interrupted");
    await notebook.run(1, "6 * 7");
    expect(await notebook.result(1).innerText()).toBe("42");
  });

  it("asks a cell's question, and gives the cell what is typed", async () => {
    const before = await notebook.start(
      0,
      'const model = await input("Which model? ");\nmodel.toUpperCase()',
    );
    await notebook.question(0).waitFor();
    expect(await notebook.question(0).innerText()).toContain("Which model?");
    await notebook.page.keyboard.type("gpt2-medium");
    await notebook.page.keyboard.press("Enter");
    await notebook.over(0, before);
    expect(await notebook.result(0).innerText()).toBe("GPT2-MEDIUM");
  });

  it("restarts its kernel by the toolbar's button: variables are gone, cells run again", async () => {
    await notebook.run(0, "const soonGone = 1; soonGone");
    await notebook.restart();
    await notebook.run(1, "soonGone");
    expect(await notebook.error(1).innerText()).toContain("Cannot find name 'soonGone'");
    await notebook.run(0, "const soonGone = 1; soonGone");
    expect(await notebook.result(0).innerText()).toBe("1");
  });

  it("runs a notebook of the series to its end, with its charts", async () => {
    const name = "2-preliminaries.ipynb";
    const source = readFileSync(join(projectRoot(), "notebooks", name), "utf8");
    const parameter = String.raw`outputs: string = \"outputs/lab\"`;
    expect(source).toContain(parameter);
    // What the section makes is left beside the copy.
    const outputs = join(folder, "outputs");
    writeFileSync(
      join(notebooks, name),
      source.replace(parameter, String.raw`outputs: string = \"${outputs}\"`),
    );
    notebook = await session.open(name);
    // Cells come into the page one after another.
    await expect
      .poll(() => notebook.cells.count(), { timeout: 20_000 })
      .toBe(codeCells(JSON.parse(source)).length);
    expect(await notebook.runAll()).toBeUndefined();
    await expect.poll(() => notebook.charts.count()).toBe(2);
    await notebook.charts.first().scrollIntoViewIfNeeded();
  });
});

/** Which part of a drawing has exactly this colour. */
function shareOf(drawing: Locator, colour: number[]): Promise<number> {
  return drawing.evaluate((canvas, [red, green, blue]) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const { data } = (canvas as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height);
    let found = 0;
    for (let i = 0; i < data.length; i += 4)
      if (data[i] === red && data[i + 1] === green && data[i + 2] === blue) found++;
    return found / (width * height);
  }, colour);
}
