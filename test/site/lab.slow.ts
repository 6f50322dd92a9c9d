import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { buildSite } from "../../src/site/index.js";
import { findBrowser } from "../../src/site/pdf.js";
import { seriousViolations } from "./accessibility.js";

/*
 * Every page of the default profile's own results, as a reader opens it: drawn to its end, in both themes.
 */

const outputs = join(projectRoot(), "outputs", "lab");
const browserPath = findBrowser();
const missing = !browserPath
  ? "no Chromium or Chrome here"
  : existsSync(join(outputs, ".state"))
    ? undefined
    : "run `npm run reproduce` first";

/** Everything that a page loads, its charts drawn and search opened, in bytes. */
const HEAVIEST = 2.5e6;

describe.skipIf(missing !== undefined)(`the site of the profile lab (${missing ?? "here"})`, () => {
  let browser: Browser;
  let pages: string[];

  beforeAll(async () => {
    await buildSite(outputs);
    pages = readdirSync(join(outputs, "site")).filter((file) => file.endsWith(".html"));
    browser = await chromium.launch({ executablePath: browserPath!, args: ["--no-sandbox"] });
  });
  afterAll(() => browser?.close());

  it("has a page for each of the thirteen notebooks, and draws every chart on it", async () => {
    expect(pages).toHaveLength(13 + 4);
    for (const file of pages) {
      const { complaints, charts, drawn, bytes } = await visit(browser, file);
      expect(complaints, file).toEqual([]);
      expect(drawn, file).toBe(charts);
      if (file !== "report.html") expect(bytes, `${file} weighs too much`).toBeLessThan(HEAVIEST);
    }
  });

  it("has no serious violation of accessibility in either theme, and fits a phone", async () => {
    for (const file of pages) {
      for (const colorScheme of ["light", "dark"] as const) {
        const page = await browser.newPage({
          viewport: { width: 390, height: 844 },
          colorScheme,
          bypassCSP: true,
        });
        await page.goto(address(file));
        expect(await page.evaluate(() => document.documentElement.scrollWidth), file).toBe(390);
        expect(await seriousViolations(page), `${file}, ${colorScheme}`).toEqual([]);
        await page.close();
      }
    }
  });

  it("tells the study in four steps, each with what this run measured", async () => {
    const page = await browser.newPage();
    await page.goto(address("index.html"));
    expect(await page.locator(".story .here").allInnerTexts()).toEqual(
      Array(4).fill(expect.stringMatching(/\d.*\(paper: .*\d/)),
    );
    await page.close();
  });

  it("shows no offensive word before it is asked to", () => {
    const words = /\b(?:shit|fuck|cunt)\w*/i;
    for (const file of pages) {
      expect(readFileSync(join(outputs, "site", file), "utf8"), file).not.toMatch(words);
    }
    expect(readFileSync(join(outputs, "site", "assets", "search-index.js"), "utf8")).not.toMatch(words);
  });
});

function address(file: string): string {
  return pathToFileURL(join(outputs, "site", file)).href;
}

interface Visit {
  complaints: string[];
  charts: number;
  drawn: number;
  bytes: number;
}

/** Reads a page from top to bottom and opens its search. */
async function visit(browser: Browser, file: string): Promise<Visit> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  const complaints: string[] = [];
  const loaded = new Set<string>();
  page.on("console", (message) => complaints.push(`${message.type()} ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => loaded.add(request.url()));
  await page.goto(address(file));
  const charts = page.locator("[data-chart]");
  const count = await charts.count();
  for (let index = 0; index < count; index++) {
    await charts.nth(index).scrollIntoViewIfNeeded();
    await page.locator("[data-chart]").nth(index).and(page.locator("[data-drawn]")).waitFor();
  }
  for (const picture of await page.locator('img[loading="lazy"]').all()) {
    await picture.scrollIntoViewIfNeeded();
    await picture.evaluate((image: HTMLImageElement) => image.decode());
  }
  if (file !== "report.html") {
    await page.getByRole("combobox").fill("toxic");
    await page.getByRole("option").first().waitFor();
  }
  const foreign = [...loaded].filter((url) => !/^(file|data):/.test(url));
  complaints.push(...foreign.map((url) => `request ${url}`));
  const drawn = await page.locator("[data-drawn]").count();
  await page.close();
  const files = [...loaded].filter((url) => url.startsWith("file:"));
  const bytes = files.reduce((sum, url) => sum + readFileSync(new URL(url.split("#")[0]!)).length, 0);
  return { complaints, charts: count, drawn, bytes };
}
