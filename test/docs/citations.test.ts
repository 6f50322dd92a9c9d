import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { anchorsOf, textOf } from "./documents.js";

const FOLDERS = ["src", "kernels", "test", "notebooks", "docs"];
const root = projectRoot();

/** Code, tests, notebooks and guides, by path. What is said of made-up documents, to try this test, is no citation. */
const sources = FOLDERS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(ts|mts|mjs|cjs|js|ipynb|yaml|md)$/.test(path))
    .map((path) => join(folder, path)),
).filter((path) => !/node_modules|^test\/docs\/(citations|links)\.test\.ts$/.test(path));

/** A document of docs/, and a heading of it where `#` follows: "docs/recipes.md#figure-1", and "and #figure-2" behind it. */
const DOCUMENT = /\bdocs\/[\w-]+\.md(?:#[\w-]+(?:(?:,| and) #[\w-]+)*)?/g;
/** Numbers of docs/discrepancies.md: "difference 7", "differences 7, 12 and 18". */
const DIFFERENCES = /\bdifferences? (\d+(?:(?:, | and )\d+)*)\b/g;

const differences = new Set(
  [...textOf("docs/discrepancies.md").matchAll(/^\| (\d+) +\|/gm)].map(([, number]) => number as string),
);

function leadNowhere(text: string): string[] {
  const documents = [...text.matchAll(DOCUMENT)].filter(([citation]) => {
    const [path, ...anchors] = citation.split(/(?:,| and)? ?#/);
    try {
      const known = anchorsOf(path as string);
      return anchors.some((anchor) => !known.includes(anchor));
    } catch {
      return true; // no such document
    }
  });
  const numbered = [...text.matchAll(DIFFERENCES)].filter(
    ([, numbers = ""]) =>
      !text.includes("discrepancies.md") ||
      numbers.split(/, | and /).some((number) => !differences.has(number)),
  );
  return [...documents, ...numbered].map(([citation]) => citation);
}

it("what code, tests, notebooks and guides cite of docs/ is there", () => {
  const nowhere = sources.flatMap((path) =>
    leadNowhere(readFileSync(join(root, path), "utf8")).map((citation) => `${path}: ${citation}`),
  );
  expect(nowhere).toEqual([]);
});

it("the recipes are cited, and a citation that leads nowhere is found", () => {
  const cited = sources.filter((path) => readFileSync(join(root, path), "utf8").includes("docs/recipes.md#"));
  expect(cited.length).toBeGreaterThan(20);
  for (const text of [
    "docs/none.md",
    "docs/recipes.md#none",
    "docs/recipes.md#figure-1 and #none",
    "difference 31 of docs/discrepancies.md",
    "differences 1, 2 and 31 of docs/discrepancies.md",
    "difference 7 of some list",
  ]) {
    expect(leadNowhere(text), text).toHaveLength(1);
  }
  expect(
    leadNowhere("docs/recipes.md#figure-1 and #figure-2; differences 1, 2 and 30 of docs/discrepancies.md"),
  ).toEqual([]);
});
