import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBrowser, printReport } from "../../src/site/pdf.js";
import { seriousViolations } from "./accessibility.js";
import { RunFolder, code, shown, text } from "./run-folder.js";

const browserPath = findBrowser();
const here = browserPath ? "here" : "no Chromium or Chrome here";

let run: RunFolder;
let browser: Browser;

/** What pages complained of, and what they asked of anybody but the disk. */
const complaints: string[] = [];

async function open(file: string, options: Parameters<Browser["newPage"]>[0] = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, ...options });
  page.on("console", (message) => complaints.push(`${message.type()} ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) complaints.push(`request ${request.url()}`);
  });
  await page.goto(pathToFileURL(join(run.path, "site", file)).href);
  return page;
}

describe.skipIf(!browserPath)(`the site in a browser, from disk (${here})`, { timeout: 60_000 }, () => {
  beforeAll(async () => {
    run = new RunFolder();
    run.writeClaims();
    await run.pageOf(
      text("# The probe\n\n## Where it reads\n\n$$P(x) = \\mathrm{softmax}(Wx)$$"),
      code("const x = 1;"),
      await run.figureCell(),
      run.tableCell(),
      code("evil", [
        shown({
          "text/html":
            '<img src="https://example.org/a.png" onerror="document.title=1"><style>@import url(https://example.org)</style><b>tame</b>',
        }),
      ]),
    );
    browser = await chromium.launch({ executablePath: browserPath!, args: ["--no-sandbox"] });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    if (run) rmSync(run.path, { recursive: true, force: true });
  });

  it("draws charts that can be pointed at in place of their pictures", async () => {
    const page = await open("3.1-toxic-vectors.html");
    await page.locator("#probe-separation [data-drawn] svg").waitFor();
    expect(await page.locator("#probe-separation svg").textContent()).toContain("tea");
    await page.locator("#probe-separation svg .mark-rect path").first().hover();
    expect(await page.locator("#vg-tooltip-element.visible").textContent()).toContain("count");
    await page.close();
  });

  it("shows offensive words once the warning is answered, in text and charts, and hides them again", async () => {
    const page = await open("3.1-toxic-vectors.html");
    await page.locator("[data-drawn]").waitFor();
    const content = (): Promise<string> => page.locator("main").innerText();
    expect(await content()).not.toMatch(/shit/);
    await page.getByRole("button", { name: "Show words" }).click();
    await page.getByRole("button", { name: "Keep them starred" }).click();
    expect(await content()).not.toMatch(/shit/);
    await page.getByRole("button", { name: "Show words" }).click();
    await page.getByRole("button", { name: "Show them" }).click();
    await page.locator("#table-2", { hasText: "shit" }).waitFor();
    await page.locator("#probe-separation svg", { hasText: "shit" }).waitFor();
    // It holds on the next page, and is taken back on it.
    await page.goto(pathToFileURL(join(run.path, "site", "3.1-toxic-vectors.html")).href);
    expect(await page.locator("#table-2").innerText()).toContain("shit");
    await page.getByRole("button", { name: "Hide words" }).click();
    expect(await content()).not.toMatch(/shit/);
    await page.close();
  });

  it("finds by keyboard: slash, words, arrow, enter", async () => {
    const page = await open("index.html");
    await page.keyboard.press("/");
    await page.keyboard.type("where it reads");
    await page.getByRole("option").first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/3\.1-toxic-vectors\.html#where-it-reads$/);
    await page.close();
  });

  it("says when nothing is found", async () => {
    const page = await open("index.html");
    await page.getByRole("combobox").fill("zyzzyva");
    await page.getByText("Nothing found for “zyzzyva”.").waitFor();
    await page.close();
  });

  it("switches between light and dark, and remembers", async () => {
    const page = await open("index.html", { colorScheme: "light" });
    const ground = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByRole("button", { name: "Dark theme" }).click();
    expect(await ground()).not.toBe(light);
    await page.reload();
    expect(await ground()).not.toBe(light);
    await page.getByRole("button", { name: "Light theme" }).click();
    expect(await ground()).toBe(light);
    await page.close();
  });

  it("opens the cell that made a figure, and all code by one button", async () => {
    const page = await open("3.1-toxic-vectors.html");
    const codeCells = page.locator("details.code[open]");
    expect(await codeCells.count()).toBe(0);
    await page.locator("#probe-separation").getByText("the cell that made it").click();
    await page.locator("#cell-draw > details[open]").waitFor();
    await page.getByRole("button", { name: "Code", exact: true }).click();
    expect(await codeCells.count()).toBe(await page.locator("details.code").count());
    await page.close();
  });

  it("turns to the next and the previous notebook by n and p", async () => {
    const page = await open("3.1-toxic-vectors.html");
    await page.keyboard.press("n");
    await page.waitForURL(/3\.2-vocabulary-space\.html$/);
    await page.keyboard.press("p");
    await page.waitForURL(/3\.1-toxic-vectors\.html$/);
    await page.close();
  });

  it("fits a phone, and shows everything without scripts", async () => {
    const phone = await open("3.1-toxic-vectors.html", { viewport: { width: 360, height: 740 } });
    expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await phone.close();
    const bare = await open("3.1-toxic-vectors.html", { javaScriptEnabled: false });
    await bare.locator("#probe-separation img").scrollIntoViewIfNeeded();
    expect(await bare.locator("#probe-separation img").isVisible()).toBe(true);
    expect(await bare.getByRole("button", { name: "Show words" }).isVisible()).toBe(false);
    await bare.close();
  });

  it("has no serious violation of accessibility, in either theme", async () => {
    const files = ["index.html", "3.1-toxic-vectors.html", "claims.html", "exhibits.html", "report.html"];
    for (const colorScheme of ["light", "dark"] as const) {
      for (const file of files) {
        const page = await open(file, { colorScheme, bypassCSP: true });
        expect(await seriousViolations(page), `${file}, ${colorScheme}`).toEqual([]);
        await page.close();
      }
    }
  });

  it("is printed as a PDF with the report's figures and tables", async () => {
    const target = join(run.path, "report.pdf");
    await printReport(join(run.path, "site"), target);
    const pdf = readFileSync(target).toString("latin1");
    expect(pdf.startsWith("%PDF-")).toBe(true);
    expect(pdf).toContain("/Outlines");
    expect(pdf.match(/\/Type \/Page\b/g)!.length).toBeGreaterThan(1);
    expect(existsSync(`${target}.${process.pid}.tmp`)).toBe(false);
  });

  it("has complained of nothing and asked nobody for anything", () => {
    expect(complaints).toEqual([]);
  });
});

describe("printing without a browser", () => {
  it("is refused in one line that says what to install", async () => {
    const before = { ...process.env };
    const folder = new RunFolder();
    try {
      await folder.pageOf(text("# One"));
      process.env["ALIGNSCOPE_BROWSER"] = join(folder.path, "none");
      await expect(printReport(join(folder.path, "site"), join(folder.path, "x.pdf"))).rejects.toThrow(
        /^no browser to print with .*: install one, e\.g\. `apt install chromium`, or set ALIGNSCOPE_BROWSER to its path$/,
      );
    } finally {
      process.env = before;
      rmSync(folder.path, { recursive: true, force: true });
    }
  });
});
