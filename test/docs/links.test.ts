import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { anchorsOf, documents, proseOf } from "./documents.js";

const root = projectRoot();

/** Of links and pictures, in order: what stands in the parentheses. Code in backticks has none. */
function targetsOf(document: string): string[] {
  const prose = proseOf(document).replace(/`[^`]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
}

function leadsNowhere(document: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? document : normalize(join(dirname(document), path));
  if (!existsSync(join(root, file))) return true;
  return anchor !== undefined && !anchorsOf(file).includes(anchor);
}

describe.each(documents())("%s", (document) => {
  it("has no link and no picture that leads nowhere", () => {
    const relative = targetsOf(document).filter((target) => !/^[a-z]+:/.test(target));
    const broken = relative.filter((target) => leadsNowhere(document, target));
    expect(broken).toEqual([]);
  });

  it("is named in the index, if it is a guide", () => {
    const name = document.replace(/^docs\//, "");
    if (name === document || name === "README.md") return;
    expect(targetsOf("docs/README.md")).toContain(name);
    expect(targetsOf("README.md")).toContain(document);
  });
});

it("a link to a file and one to a heading that are not there are found", () => {
  expect(leadsNowhere("docs/README.md", "nothing.md")).toBe(true);
  expect(leadsNowhere("docs/README.md", "reading.md#no-such-heading")).toBe(true);
  expect(leadsNowhere("docs/README.md", "reading.md#how-to-read-a-claim")).toBe(false);
});
