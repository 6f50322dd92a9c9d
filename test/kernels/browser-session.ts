import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { writeNotebook } from "../../src/jupyter/index.js";
import { notebookOf } from "../papermill/notebooks.js";
import { browserPath, type JupyterServer } from "./jupyter-server.js";

/**
 * A server, a browser and a page with a small notebook for the tests of one `describe`. Each test leaves a picture of the
 * page; they are kept when one fails.
 */
export class BrowserSession<Notebook extends { page: Page }> {
  readonly folder: string;
  /** What the server serves. Outside of the project: what cells import from it is found by the kernel, not beside them. */
  readonly notebooks: string;
  /** The page that was opened last. */
  notebook!: Notebook;
  #jupyter!: JupyterServer;
  #browser: Browser | undefined;
  readonly #open: (browser: Browser, url: string) => Promise<Notebook>;

  constructor(
    name: string,
    start: (folder: string, home: string) => Promise<JupyterServer>,
    open: (browser: Browser, url: string) => Promise<Notebook>,
  ) {
    this.folder = join(tmpdir(), `${name}-${randomUUID()}`);
    this.notebooks = join(this.folder, "notebooks");
    this.#open = open;
    const pictures = join(this.folder, "pictures");
    let failed = false;
    let turns = 0;

    beforeAll(async () => {
      for (const made of [this.notebooks, pictures]) mkdirSync(made, { recursive: true });
      writeNotebook(join(this.notebooks, "small.ipynb"), notebookOf(["40 + 2", "", ""]));
      this.#jupyter = await start(this.notebooks, join(this.folder, "home"));
      this.#browser = await chromium.launch({ executablePath: browserPath!, args: ["--no-sandbox"] });
      await this.open("small.ipynb");
    });
    afterEach(async ({ task }) => {
      failed ||= task.result?.state === "fail";
      const picture = `${String(++turns).padStart(2, "0")}-${task.name.replace(/\W+/g, "-").slice(0, 60)}.png`;
      await this.notebook.page.screenshot({ animations: "disabled", path: join(pictures, picture) });
    });
    afterAll(async () => {
      await this.#browser?.close();
      await this.#jupyter?.stop();
      if (failed) console.warn(`what the page looked like: ${pictures}`);
      else rmSync(this.folder, { recursive: true });
    });
  }

  /** Opens a page with a notebook that lies in `notebooks`, and looks at that from now on. */
  async open(name: string): Promise<Notebook> {
    if (!this.#browser) throw new Error("the browser has not been started");
    return (this.notebook = await this.#open(this.#browser, this.#jupyter.pageOf(name)));
  }
}
