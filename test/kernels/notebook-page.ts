import type { Browser, Locator, Page } from "playwright-core";

/** Milliseconds for anything to be seen: a kernel starts and loads the library within, also on a busy machine. */
const PATIENCE = 40_000;

/** A notebook in Jupyter's classic page: does what a person does there, and reads what a person sees. */
export class NotebookPage {
  readonly page: Page;
  #cells: Locator;

  private constructor(page: Page) {
    this.page = page;
    this.#cells = page.locator("#notebook .code_cell");
  }

  /** Opens a notebook and waits for its kernel. */
  static async open(browser: Browser, url: string): Promise<NotebookPage> {
    const page = await browser.newPage({ viewport: { width: 1100, height: 1400 } });
    page.setDefaultTimeout(PATIENCE);
    await page.goto(url);
    const notebook = new NotebookPage(page);
    await notebook.kernelIs("idle");
    return notebook;
  }

  /** What the page calls its kernel, at the top on the right. */
  get kernelName(): Locator {
    return this.page.locator("#kernel_indicator .kernel_indicator_name");
  }

  get dialog(): Locator {
    return this.page.locator(".modal-dialog");
  }

  async kernelIs(state: "idle" | "busy"): Promise<void> {
    await this.page.locator(`#kernel_indicator_icon.kernel_${state}_icon`).waitFor();
  }

  /** The code cells count from 0. */
  cell(index: number): Locator {
    return this.#cells.nth(index);
  }

  /** What stands before a cell: `In [3]:`, or `In [*]:` while it runs. */
  async prompt(index: number): Promise<{ running: boolean; number: number | undefined }> {
    const text = await this.cell(index).locator(".input_prompt").innerText();
    const number = /\[(\d+)\]/.exec(text)?.[1];
    return { running: text.includes("*"), number: number === undefined ? undefined : Number(number) };
  }

  /** Each thing that a cell has put out, in order. */
  outputs(index: number): Locator {
    return this.cell(index).locator(".output .output_area");
  }

  /** What a cell has put out, as text. */
  output(index: number): Locator {
    return this.cell(index).locator(".output");
  }

  /** What a cell has written to a stream. */
  stream(index: number, name: "stdout" | "stderr"): Locator {
    return this.cell(index).locator(`.output_stream.output_${name}`);
  }

  /** The value that a cell ended with. */
  result(index: number): Locator {
    return this.cell(index).locator(".output_result");
  }

  error(index: number): Locator {
    return this.cell(index).locator(".output_error");
  }

  /** The line in which a cell's question is answered. */
  question(index: number): Locator {
    return this.cell(index).locator(".raw_input_container");
  }

  /** The parts of it that are written in red. */
  async redIn(text: Locator): Promise<string[]> {
    const parts = await text
      .locator("span")
      .evaluateAll((spans) =>
        spans.map((span) => ({ said: span.textContent ?? "", colour: getComputedStyle(span).color })),
      );
    return parts.filter(({ colour }) => isRed(colour)).map(({ said }) => said);
  }

  /** The names that may be completed here. */
  get completions(): Locator {
    return this.page.locator(".completions option");
  }

  /** Opens the tooltip of what stands before the cursor, at its full size, and returns its text once it is all in view. */
  async tooltip(): Promise<string> {
    const text = this.page.locator("#tooltip .tooltiptext");
    await this.page.keyboard.press("Shift+Tab");
    await text.locator("pre").waitFor();
    await this.page.click("#expanbutton");
    await this.page.waitForFunction(() => {
      const box = document.querySelector("#tooltip .tooltiptext");
      return box?.textContent && box.scrollHeight <= box.clientHeight;
    });
    return text.innerText();
  }

  /** Waits until a cell's code is so. */
  async code(index: number, code: string): Promise<void> {
    await this.cell(index).locator(".CodeMirror-code").getByText(code, { exact: true }).waitFor();
  }

  /** Replaces a cell's code, as with the keyboard. */
  async write(index: number, code: string): Promise<void> {
    await this.cell(index).locator(".CodeMirror").click();
    await this.page.keyboard.press("Control+a");
    await this.page.keyboard.insertText(code);
  }

  /** Starts a cell and waits until it is sent. */
  async start(index: number, code?: string): Promise<void> {
    if (code === undefined) await this.cell(index).locator(".CodeMirror").click();
    else await this.write(index, code);
    await this.page.keyboard.press("Control+Enter");
  }

  /** Waits until a cell is over. */
  async over(index: number): Promise<void> {
    await this.cell(index)
      .locator(".input_prompt", { hasText: /In\s*\[\d+\]/ })
      .waitFor();
    await this.kernelIs("idle");
  }

  /** Runs a cell, with other code if that is given, to its end. */
  async run(index: number, code?: string): Promise<void> {
    await this.start(index, code);
    await this.over(index);
  }

  /** Clicks what the Kernel menu calls so. */
  async kernelMenu(id: "int_kernel" | "restart_kernel"): Promise<void> {
    await this.page.click("#kernellink");
    await this.page.click(`#kernel_menu #${id} a`);
  }

  /** Restarts the kernel by the menu, agrees to lose the variables, and waits until the new one is there. */
  async restart(): Promise<void> {
    await this.kernelMenu("restart_kernel");
    await this.dialog.waitFor();
    const ready = this.#becomesReady();
    await this.dialog.getByText("Restart", { exact: true }).click();
    await ready;
    await this.dialog.waitFor({ state: "hidden" });
  }

  /** The page says for a moment only that the kernel is ready again: too short to be met by looking now and then. */
  #becomesReady(): Promise<void> {
    return this.page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const place = document.querySelector("#notification_kernel")!;
          new MutationObserver((_, observer) => {
            if (!place.textContent?.includes("Kernel ready")) return;
            observer.disconnect();
            resolve();
          }).observe(place, { childList: true, characterData: true, subtree: true });
        }),
    );
  }

  /** The toolbar's square. */
  async clickInterrupt(): Promise<void> {
    await this.page.click('button[data-jupyter-action="jupyter-notebook:interrupt-kernel"]');
  }
}

/** Whether a computed colour, `rgb(231, 92, 88)`, is more red than anything else. */
function isRed(colour: string): boolean {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map(Number);
  return red > 2 * green && red > 2 * blue;
}
