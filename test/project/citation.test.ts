import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "../../src/base/paths.js";

type Fields = Record<string, unknown>;
const read = (name: string): string => readFileSync(join(projectRoot(), name), "utf8");
const citation = parse(read("CITATION.cff")) as Fields & { references: Fields[] };

// The Citation File Format 1.2.0: which keys there are, and which there have to be.
const KEYS = [
  ...[
    "abstract",
    "authors",
    "cff-version",
    "commit",
    "contact",
    "date-released",
    "doi",
    "identifiers",
    "keywords",
  ],
  ...[
    "license",
    "license-url",
    "message",
    "preferred-citation",
    "references",
    "repository",
    "repository-artifact",
  ],
  ...["repository-code", "title", "type", "url", "version"],
];

it("has the keys that the format requires, and no others than it knows", () => {
  for (const key of ["cff-version", "message", "title", "authors"]) expect(citation[key], key).toBeTruthy();
  expect(Object.keys(citation).filter((key) => !KEYS.includes(key))).toEqual([]);
  expect(citation["cff-version"]).toBe("1.2.0");
  expect(["software", "dataset"]).toContain(citation["type"]);
  for (const reference of citation.references) {
    for (const key of ["type", "title", "authors"]) expect(reference[key], key).toBeTruthy();
  }
});

it("agrees with package.json on version and licence", () => {
  const { version, license } = JSON.parse(read("package.json")) as Fields;
  expect([citation["version"], citation["license"]]).toEqual([version, license]);
});

it("names the paper with all its authors", () => {
  const [paper] = citation.references;
  const authors = paper?.["authors"] as { "family-names": string }[];
  expect(authors.map((one) => one["family-names"])).toEqual([
    "Lee",
    "Bai",
    "Pres",
    "Wattenberg",
    "Kummerfeld",
    "Mihalcea",
  ]);
  expect([paper?.["type"], paper?.["year"]]).toEqual(["conference-paper", 2024]);
  expect(JSON.stringify(paper)).toContain("2401.01967");
});
