import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { BrowserSession } from "./browser-session.js";
import { browserTestsMissing, startJupyter } from "./jupyter-server.js";
import { NotebookPage } from "./notebook-page.js";

/* What a person sees who works with the kernel in Jupyter's own page. */

const missing = browserTestsMissing();

// On a busy machine a test that starts a kernel and loads the library may take a while.
const patient = { timeout: 120_000 };

describe.skipIf(missing !== undefined)(`a notebook in Jupyter's page (${missing ?? "here"})`, patient, () => {
  const session = new BrowserSession("jupyter-in-browser", startJupyter, NotebookPage.open);
  const { folder, notebooks } = session;
  /** A notebook of a few cells, whose kernel all tests but the last share. */
  let notebook: NotebookPage;
  beforeAll(() => {
    notebook = session.notebook;
    gate = join(notebooks, "gate");
  });

  it("opens with its kernel, and shows a cell's value, also after the cell was edited", async () => {
    expect(await notebook.kernelName.innerText()).toBe("TypeScript (alignscope)");
    expect(await notebook.dialog.count()).toBe(0);
    await notebook.run(0, "40 + 2");
    expect(await notebook.result(0).innerText()).toBe("42");
    await notebook.run(0, "const layers: number[] = [1, 2, 3]; layers.map((layer) => layer * 2)");
    expect(await notebook.result(0).innerText()).toBe("[ 2, 4, 6 ]");
  });

  it("shows a type error with cell, line and the code around it, in red", async () => {
    await notebook.run(0, 'const layers = 24;\nconst wrong: number = "many";\nlayers');
    const { number } = await notebook.prompt(0);
    const lines = (await notebook.error(0).innerText()).trimEnd().split("\n");
    expect(lines).toEqual([
      `In [${number}]:2:7 - error TS2322: Type 'string' is not assignable to type 'number'.`,
      "  1 | const layers = 24;",
      '> 2 | const wrong: number = "many";',
      "    |       ^^^^^",
      "  3 | layers",
    ]);
    expect(await notebook.redIn(notebook.error(0))).toEqual(["error", "^^^^^"]);
    expect(await notebook.result(0).count()).toBe(0);
  });

  it("shows what a cell prints while it goes on running", async () => {
    await notebook.start(0, gated('console.log("first");', 'console.log("second");'));
    await notebook.stream(0, "stdout").getByText("first").waitFor();
    expect(await notebook.prompt(0)).toEqual({ running: true, number: undefined });
    expect(await notebook.output(0).innerText()).not.toContain("second");
    openGate();
    await notebook.over(0);
    expect(await notebook.stream(0, "stdout").innerText()).toBe("first\nsecond\n");
  });

  it("interrupts a loop without end by the toolbar's button; the next cell runs", async () => {
    await notebook.start(0, 'const kept = "kept";\nconsole.log("round and round");\nwhile (true) {}');
    await notebook.stream(0, "stdout").getByText("round and round").waitFor();
    await notebook.clickInterrupt();
    await notebook.over(0);
    expect(await notebook.error(0).innerText()).toContain("InterruptedError: the cell was interrupted");
    await notebook.run(1, "6 * 7");
    expect(await notebook.result(1).innerText()).toBe("42");
  });

  it("interrupts a cell that waits by the Kernel menu; the next cell runs", async () => {
    await notebook.run(0, 'const before = "still here";');
    await notebook.start(1, 'console.log("waiting");\nawait new Promise(() => {});');
    await notebook.stream(1, "stdout").getByText("waiting").waitFor();
    await notebook.kernelMenu("int_kernel");
    await notebook.over(1);
    expect(await notebook.error(1).innerText()).toContain("InterruptedError: the cell was interrupted");
    await notebook.run(2, "before");
    expect(await notebook.result(2).innerText()).toBe("still here");
  });

  it("shows a chart as a picture", async () => {
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v5.json",
      title: "Toxicity by layer",
      width: 300,
      height: 200,
      data: { values: [1, 2, 3, 4].map((layer) => ({ layer, toxicity: layer ** 2 })) },
      mark: "bar",
      encoding: {
        x: { field: "layer", type: "ordinal" },
        y: { field: "toxicity", type: "quantitative" },
      },
    };
    await notebook.run(0, `(${JSON.stringify(spec, null, 2)})`);
    const picture = notebook.output(0).locator("svg");
    const box = await picture.boundingBox();
    expect(box?.width).toBeGreaterThan(300);
    expect(box?.height).toBeGreaterThan(200);
    expect(await picture.getByText("Toxicity by layer").isVisible()).toBe(true);
    const bars = await picture.locator(".mark-rect.role-mark path").all();
    const heights = await Promise.all(bars.map(async (bar) => (await bar.boundingBox())?.height ?? 0));
    expect(heights.map((height) => Math.round((height / heights[0]!) * 2) / 2)).toEqual([1, 4, 9, 16]);
  });

  it("shows a figure of the library as a picture", async () => {
    await notebook.run(
      0,
      `import { figure } from "alignscope";
figure({
  name: "norms", title: "Norms of value vectors", caption: "By layer.",
  data: [{ layer: 1, norm: 2 }, { layer: 2, norm: 5 }, { layer: 3, norm: 3 }],
  spec: { mark: { type: "line", point: true }, encoding: { x: { field: "layer", type: "quantitative" }, y: { field: "norm", type: "quantitative" } } },
})`,
    );
    const box = await notebook.result(0).locator("svg, img").first().boundingBox();
    expect(box?.width).toBeGreaterThan(200);
    expect(box?.height).toBeGreaterThan(100);
  });

  it("completes names of the library's types and tells what they are for", async () => {
    await notebook.run(0, 'import { openStudy, type Study } from "alignscope";\ndeclare const study: Study;');
    expect(await notebook.error(0).count()).toBe(0);
    await notebook.write(1, "openStu");
    await notebook.page.keyboard.press("Tab");
    await notebook.code(1, "openStudy");
    await notebook.write(1, "study.pub");
    await notebook.page.keyboard.press("Tab");
    await notebook.code(1, "study.publish");
    await notebook.write(1, "study.");
    await notebook.page.keyboard.press("Tab");
    await notebook.completions.first().waitFor();
    const names = await notebook.completions.allInnerTexts();
    expect(names).toEqual(expect.arrayContaining(["artifacts", "claims", "model", "publish", "tokenizer"]));
    await notebook.page.keyboard.press("Escape");
    await notebook.write(1, "openStudy(");
    const told = await notebook.tooltip();
    expect(told).toMatch(/^openStudy\(\{.*StudyOptions\): Promise<Study>/);
    expect(told).toContain("Opens the backend, loads the model with its tokenizer");
  });

  it("asks a cell's question, and gives the cell what is typed", async () => {
    await notebook.page.keyboard.press("Escape");
    await notebook.start(0, 'const model = await input("Which model? ");\nmodel.toUpperCase()');
    await notebook.question(0).waitFor();
    expect(await notebook.question(0).innerText()).toBe("Which model? ");
    await notebook.page.keyboard.type("gpt2-medium");
    await notebook.page.keyboard.press("Enter");
    await notebook.over(0);
    expect(await notebook.result(0).innerText()).toBe("GPT2-MEDIUM");
  });

  it("shows a progress bar in one place, however often it moves", async () => {
    const ticks = [
      'import { progress } from "alignscope";\nconst job = progress("comments", 4);\njob.tick();',
      // It moves twice a second at most.
      "await new Promise((done) => setTimeout(done, 501));\njob.tick(2);",
    ];
    await notebook.start(0, gated(...(ticks as [string, string])));
    await notebook.output(0).getByText("1 of 4").waitFor();
    expect(await notebook.outputs(0).count()).toBe(1);
    openGate();
    await notebook.output(0).getByText("3 of 4").waitFor();
    await notebook.over(0);
    expect(await notebook.outputs(0).count()).toBe(1);
    expect(await notebook.output(0).innerText()).toMatch(/^comments \[█{15}░{5}\] +75/);
    await notebook.run(1, "job.tick();\njob.done();");
    expect(await notebook.output(0).innerText()).toMatch(/^comments: 4 of 4 in /);
    expect(await notebook.outputs(1).count()).toBe(0);
  });

  it("says why the process of a cell ended; the next cell runs in a new one and says that variables are gone", async () => {
    await notebook.run(0, "const lost = 1;");
    await notebook.run(1, "process.exit(3)");
    expect(await notebook.error(1).innerText()).toMatch(
      /DeadKernelError: .* exit code 3 \(process\.exit was called/,
    );
    expect(await notebook.redIn(notebook.error(1))).toEqual(["DeadKernelError"]);
    await notebook.run(2, "typeof globalThis");
    expect(await notebook.stream(2, "stderr").innerText()).toContain("their variables are gone");
    expect(await notebook.result(2).innerText()).toBe("object");
    await notebook.run(2, "lost");
    expect(await notebook.error(2).innerText()).toContain("Cannot find name 'lost'");
    expect(await notebook.stream(2, "stderr").count()).toBe(0);
  });

  it("restarts its kernel by the menu: variables are gone, cells run again", async () => {
    await notebook.run(0, "const soonGone = 1; soonGone");
    expect(await notebook.result(0).innerText()).toBe("1");
    await notebook.restart();
    await notebook.run(1, "soonGone");
    expect(await notebook.error(1).innerText()).toContain("Cannot find name 'soonGone'");
    await notebook.run(0);
    expect(await notebook.result(0).innerText()).toBe("1");
    expect((await notebook.prompt(0)).number).toBe(2);
  });

  it("opens and runs a notebook of the series, copied to somewhere else, beside another that is busy", async () => {
    const name = "3.1-toxic-vectors.ipynb";
    copyFileSync(join(projectRoot(), "notebooks", name), join(notebooks, name));
    await notebook.start(0, "await new Promise(() => {});");
    const page = await session.open(name);
    const busy = notebook;
    notebook = page;
    expect(await page.kernelName.innerText()).toBe("TypeScript (alignscope)");
    expect(await page.dialog.count()).toBe(0);
    expect(await page.page.locator("#notebook h1").first().innerText()).toContain("Where toxicity lives");
    await page.run(0);
    await page.run(1);
    for (const cell of [0, 1]) expect(await page.outputs(cell).count()).toBe(0);
    // What the section makes is left beside the copy.
    await page.run(
      2,
      `const study = await openStudy({ model, outputs: ${JSON.stringify(join(folder, "outputs"))}, backend: "cpu", profile });
const { nPositions } = study.model.config;`,
    );
    expect(await page.output(2).innerText()).toMatch(/Model lab: \d+ layers/);
    await page.run(3);
    expect(await page.outputs(3).count()).toBe(0);
    await page.run(4, "labelled.lenght");
    expect(await page.error(4).innerText()).toContain("Did you mean 'length'?");
    await page.run(4, "labelled.length");
    const before = Number(await page.result(4).innerText());
    expect(before).toBeGreaterThan(100);
    // A changed cell runs again, and what comes after sees the change.
    await page.run(3, "const labelled = await readComments(comments, { limit: 50, seed });");
    await page.run(4);
    expect(await page.result(4).innerText()).toBe("50");
    await page.write(4, "fitPro");
    await page.page.keyboard.press("Tab");
    await page.code(4, "fitProbe");
    await page.write(4, "fitProbe(");
    const told = await page.tooltip();
    expect(told).toMatch(/^fitProbe\(means: readonly .*\): Probe/s);
    expect(told).toContain("fitted as a logistic regression on 90% of the examples");
    await page.page.keyboard.press("Escape");
    expect((await busy.prompt(0)).running).toBe(true);
    await busy.clickInterrupt();
    await busy.over(0);
  });
});

let gate: string;

/** A cell that does one thing, waits until the test opens the gate, and does the other. */
function gated(first: string, second: string): string {
  rmSync(gate, { force: true });
  return `import { existsSync } from "node:fs";
${first}
while (!existsSync("gate")) await new Promise((done) => setTimeout(done, 20));
${second}`;
}

function openGate(): void {
  writeFileSync(gate, "");
}
