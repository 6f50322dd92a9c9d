import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { projectRoot } from "../../../src/base/paths.js";
import { newFolder } from "../../model/folders.js";

const kernel = join(projectRoot(), "kernels", "typescript");
const module = pathToFileURL(join(kernel, "dist", "language", "code-cache.js")).href;
const from = pathToFileURL(join(kernel, "dist", "main.js")).href;
const PROGRAM = `const { requireKept } = await import(${JSON.stringify(module)});
const { exports, keep } = requireKept("acorn", ${JSON.stringify(from)});
console.log(exports.parse("a + b", { ecmaVersion: 2022 }).body[0].expression.operator);
keep();`;

let home: string;
let folder: string;
beforeEach(() => {
  home = newFolder();
  folder = join(home, "compiled");
});

/** Loads a parser in a process of its own. */
function load(cache = home): void {
  const env = { ...process.env, ALIGNSCOPE_CACHE: cache };
  const options = ["--input-type=module", "-e", PROGRAM];
  const { stdout, stderr, status } = spawnSync(process.execPath, options, { encoding: "utf8", env });
  expect({ stdout, stderr, status }).toEqual({ stdout: "+\n", stderr: "", status: 0 });
}

function onlyFile(): string {
  const [name, ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  return join(folder, name ?? "");
}

describe("what V8 made of a module", () => {
  it("is kept for the next process, which takes it as it is", () => {
    load();
    const path = onlyFile();
    expect(statSync(path).size).toBeGreaterThan(10_000);
    utimesSync(path, 1, 1);
    load();
    expect(statSync(onlyFile()).mtimeMs).toBe(1000);
  });

  it.each([
    ["cut", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ["empty", () => Buffer.alloc(0)],
    ["noughts from its middle on", (bytes: Buffer) => bytes.fill(0, bytes.length / 2)],
    ["changed in its middle", (bytes: Buffer) => bytes.fill(255, bytes.length / 2, bytes.length / 2 + 64)],
  ])("is made anew if it is %s", (_what, damage) => {
    load();
    const path = onlyFile();
    writeFileSync(path, damage(readFileSync(path)));
    utimesSync(path, 1, 1);
    load();
    expect(statSync(onlyFile()).mtimeMs).not.toBe(1000);
    load();
  });

  it("is not kept where nothing can be written, which is no harm", () => {
    const file = join(home, "file");
    writeFileSync(file, "");
    load(file);
    expect(readFileSync(file, "utf8")).toBe("");
  });

  it("does not fill the disk: the newest eight stay", () => {
    mkdirSync(folder, { recursive: true });
    for (let index = 0; index < 12; index++) {
      writeFileSync(join(folder, `typescript-${index}.bin`), "");
      utimesSync(join(folder, `typescript-${index}.bin`), index, index);
    }
    load();
    const stay = readdirSync(folder);
    expect(stay).toHaveLength(8);
    expect(stay).toContain("typescript-11.bin");
    expect(stay).not.toContain("typescript-4.bin");
    expect(stay.some((name) => name.startsWith("acorn-"))).toBe(true);
  });
});
