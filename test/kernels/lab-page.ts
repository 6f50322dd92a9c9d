import type { Browser, Locator, Page } from "playwright-core";

/** Milliseconds for anything to be seen: a kernel starts and loads the library within, also on a busy machine. */
const PATIENCE = 60_000;
/** JupyterLab drops completions that come later than after a second. */
const COMPLETION = 2_000;

/** A notebook in JupyterLab: does what a person does there, and reads what a person sees. */
export class LabPage {
  readonly page: Page;
  readonly cells: Locator;

  private constructor(page: Page) {
    this.page = page;
    this.cells = page.locator(".jp-Notebook .jp-CodeCell");
  }

  /** Opens a notebook and waits for its kernel. */
  static async open(browser: Browser, url: string): Promise<LabPage> {
    const page = await browser.newPage({ viewport: { width: 1300, height: 1400 } });
    page.setDefaultTimeout(PATIENCE);
    await page.goto(url);
    const notebook = new LabPage(page);
    await notebook.kernelName.filter({ hasNotText: "No Kernel" }).waitFor();
    await notebook.kernelIsIdle();
    return notebook;
  }

  /** What the toolbar calls the kernel. */
  get kernelName(): Locator {
    return this.page.locator(".jp-NotebookPanel-toolbar [data-jp-item-name='kernelName']");
  }

  get dialog(): Locator {
    return this.page.locator(".jp-Dialog");
  }

  async kernelIsIdle(): Promise<void> {
    await this.page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").waitFor();
  }

  /** The code cells count from 0. */
  cell(index: number): Locator {
    return this.cells.nth(index);
  }

  /** What a cell has put out. */
  output(index: number): Locator {
    return this.cell(index).locator(".jp-Cell-outputArea");
  }

  /** The value that a cell ended with. */
  result(index: number): Locator {
    return this.cell(index).locator(".jp-OutputArea-executeResult .jp-OutputArea-output");
  }

  stdout(index: number): Locator {
    return this.cell(index).locator("[data-mime-type='application/vnd.jupyter.stdout']");
  }

  error(index: number): Locator {
    return errorIn(this.cell(index));
  }

  /** What Vega-Lite charts are drawn on, where they are drawn and not shown as pictures. */
  get charts(): Locator {
    return this.cells.locator(".jp-RenderedVegaLite canvas");
  }

  /** The place where a cell's question is answered. */
  question(index: number): Locator {
    return this.cell(index).locator(".jp-Stdin");
  }

  /** A cell's code. */
  code(index: number): Promise<string> {
    return this.cell(index).locator(".cm-content").innerText();
  }

  /** Replaces a cell's code, as with the keyboard. */
  async write(index: number, code: string): Promise<void> {
    await this.cell(index).locator(".cm-content").click();
    await this.page.keyboard.press("Control+a");
    await this.page.keyboard.insertText(code);
  }

  /** The names that may be completed behind the cursor, once they are offered. */
  async complete(): Promise<string[]> {
    const names = this.page.locator(".jp-Completer:not(.lm-mod-hidden) .jp-Completer-match");
    for (let tries = 1; ; tries++) {
      await this.page.keyboard.press("Tab");
      try {
        await names.first().waitFor({ timeout: COMPLETION });
        return await names.allInnerTexts();
      } catch (error) {
        if (tries * COMPLETION >= PATIENCE) throw error;
      }
    }
  }

  /** Runs a cell, with this code, to its end. */
  async run(index: number, code: string): Promise<void> {
    await this.over(index, await this.start(index, code));
  }

  /** Starts a cell; returns what stood before it until then, which `over` wants to know. */
  async start(index: number, code: string): Promise<string> {
    await this.write(index, code);
    const before = await this.#prompt(index).innerText();
    await this.page.keyboard.press("Control+Enter");
    return before;
  }

  /** Waits until a cell is over: it has another number than before. */
  async over(index: number, before: string): Promise<void> {
    await this.#prompt(index)
      .filter({ hasText: /\[\d+\]/, hasNotText: before })
      .waitFor();
    await this.kernelIsIdle();
  }

  /** Runs all cells by the menu, to the last one's end or to the first error, whose text it returns. */
  async runAll(): Promise<string | undefined> {
    await this.page.locator(".lm-MenuBar-itemLabel", { hasText: "Run" }).click();
    await this.page.locator(".lm-Menu [data-command='runmenu:run-all']").click();
    const last = this.cells
      .last()
      .locator(".jp-InputPrompt")
      .filter({ hasText: /\[\d+\]/ });
    const error = errorIn(this.cells);
    await last
      .or(error)
      .first()
      .waitFor({ timeout: 4 * PATIENCE });
    return (await error.count()) > 0 ? error.first().innerText() : undefined;
  }

  /** The toolbar's square. */
  async clickInterrupt(): Promise<void> {
    await this.page.click(".jp-NotebookPanel-toolbar [data-command='notebook:interrupt-kernel']");
  }

  /** Restarts the kernel by the toolbar's arrow, and agrees to lose the variables. */
  async restart(): Promise<void> {
    await this.page.click(".jp-NotebookPanel-toolbar [data-command='notebook:restart-kernel']");
    await this.dialog.locator(".jp-mod-accept").click();
    await this.dialog.waitFor({ state: "hidden" });
    await this.kernelIsIdle();
  }

  #prompt(index: number): Locator {
    return this.cell(index).locator(".jp-InputPrompt");
  }
}

/** JupyterLab shows errors as it shows what is written to stderr. */
function errorIn(place: Locator): Locator {
  return place.locator("[data-mime-type='application/vnd.jupyter.stderr']");
}
