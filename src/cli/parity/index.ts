import { GPT2 } from "../../model/index.js";
import type { Check } from "./check.js";
import { readGolden } from "./golden.js";
import { SECTIONS } from "./sections.js";

/** How one section of a golden folder compares. */
export interface SectionResult {
  section: string;
  checks: Check[];
  passed: boolean;
}

/**
 * Computes every section of a golden folder that this project knows, on the current backend, and compares.
 *
 * @param folder config.json, model.safetensors and golden.json
 * @param only names of sections; all that are known and present unless given
 */
export async function comparisonWithGolden(
  folder: string,
  only?: readonly string[],
): Promise<{ results: SectionResult[]; unknown: string[] }> {
  const golden = readGolden(folder);
  const model = await GPT2.load(folder);
  const present = Object.entries(golden).filter(([, value]) => typeof value === "object" && value !== null);
  const results: SectionResult[] = [];
  try {
    for (const [section, compare] of Object.entries(SECTIONS)) {
      if (!present.some(([name]) => name === section) || (only && !only.includes(section))) continue;
      const checks = await compare(model, golden, folder);
      results.push({ section, checks, passed: checks.every(({ error, tolerance }) => error <= tolerance) });
    }
  } finally {
    model.dispose();
  }
  return { results, unknown: present.map(([name]) => name).filter((name) => !(name in SECTIONS)) };
}

/** The check of a section that is furthest from what it may be. */
export function worstOf({ checks }: SectionResult): Check | undefined {
  const excess = ({ error, tolerance }: Check): number =>
    tolerance > 0 ? error / tolerance : error > 0 ? Infinity : 0;
  return [...checks].sort((a, b) => excess(b) - excess(a))[0];
}
