import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from "dependency-cruiser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import config from "../../.dependency-cruiser.mjs";

/** A repository in small: each file by its path. */
const FILES = {
  "package.json": '{ "name": "small", "type": "module" }',
  "tsconfig.json": '{ "compilerOptions": { "module": "nodenext" } }',
  "src/tensors/package.json":
    '{ "name": "@alignscope/tensors", "exports": { "./tape": { "types": "./dist/tape.d.ts" } } }',
  "src/tensors/dist/tape.d.ts": "export declare const tape: number;",
  "src/present/table.ts": "export const table = 1;",
  "src/model/right.ts": 'import { tape } from "@alignscope/tensors/tape";\nexport const right = tape;',
  "src/model/wrong.ts":
    'import type { table } from "../present/table.js";\nexport type Wrong = typeof table;',
  "src/papermill/wrong.ts": 'import { tape } from "@alignscope/tensors/tape";\nexport const wrong = tape;',
  "src/data/one.ts": 'import type { Two } from "./two.js";\nexport interface One { two: Two }',
  "src/data/two.ts": 'import type { One } from "./one.js";\nexport interface Two { one: One }',
  "src/attic/file.ts": 'import { table } from "../present/table.js";\nexport const attic = table;',
};

const root = mkdtempSync(join(tmpdir(), "rooms-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("lint refuses", () => {
  let found: [rule: string, from: string][];
  beforeAll(async () => {
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    mkdirSync(join(root, "node_modules", "@alignscope"), { recursive: true });
    symlinkSync("../../src/tensors", join(root, "node_modules", "@alignscope", "tensors"));
    const { forbidden = [], options = {} } = config;
    const { output } = await cruise(
      ["src"],
      {
        ...options,
        tsConfig: { fileName: join(root, "tsconfig.json") },
        baseDir: root,
        validate: true,
        ruleSet: { forbidden } as IFlattenedRuleSet,
      },
      options.enhancedResolveOptions ?? {},
    );
    found = (output as ICruiseResult).summary.violations.map(({ rule, from }) => [rule.name, from]);
  });
  const from = (path: string): string[] => found.filter((one) => one[1] === path).map(([rule]) => rule);

  it("an arrow against the table, of types too", () => {
    expect(from("src/model/wrong.ts")).toEqual(["src/model imports what it may"]);
  });

  it("an arrow against the table from package to package", () => {
    expect(from("src/papermill/wrong.ts")).toEqual(["src/papermill imports what it may"]);
  });

  it("a circle, also one of types alone", () => {
    expect(from("src/data/one.ts")).toEqual(["no circles, types included"]);
  });

  it("a room that the table does not know", () => {
    expect(from("src/attic/file.ts")).toEqual(["every room has a line in the table"]);
  });

  it("nothing else", () => {
    expect(from("src/model/right.ts")).toEqual([]);
  });
});
