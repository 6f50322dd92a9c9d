import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../../src/base/paths.js";
import { paperClaims } from "../../../src/present/claims/index.js";

const results = join(projectRoot(), "outputs", "lab-committed");
const isThere = existsSync(join(results, "manifest.json"));

describe.skipIf(!isThere)("the figures and tables that a claim names (needs outputs/lab-committed)", () => {
  it.each(paperClaims().map(({ id, exhibits = [] }) => [id, exhibits] as const))(
    "of %s exist",
    (_id, names) => {
      expect(names.length).toBeGreaterThan(0);
      const missing = names.filter(
        (name) => !["figures", "tables"].some((kind) => existsSync(join(results, kind, `${name}.json`))),
      );
      expect(missing).toEqual([]);
    },
  );
});
