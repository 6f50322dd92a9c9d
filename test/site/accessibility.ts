import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

interface Axe {
  run(options: object): Promise<{ violations: Violation[] }>;
}

const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/**
 * What axe-core calls serious or critical on a page, everything that is folded opened: each rule with the first element
 * that breaks it. The page has to be opened with `bypassCSP`, for its policy keeps axe out as well.
 */
export async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
  await page.addScriptTag({ content: axe });
  const violations = await page.evaluate(async () => {
    const run = await (globalThis as unknown as { axe: Axe }).axe.run({ preload: false });
    return run.violations;
  });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}
