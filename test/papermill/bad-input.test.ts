import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { papermill } from "../../src/papermill/command/papermill.js";
import { formatNotebook, parseNotebook } from "../../src/jupyter/index.js";
import { files, lockOutput } from "../../src/papermill/stores/local.js";
import { notebookOf } from "./notebooks.js";

const folder = mkdtempSync(join(tmpdir(), "bad-input-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const good = at("good.ipynb");
const out = at("out.ipynb");
writeFileSync(good, formatNotebook(notebookOf([["let a = 1", "parameters"]])));
mkdirSync(at("folder"));

let said: string;
beforeEach(() => {
  said = "";
  const take = (text: unknown) => ((said += String(text)), true);
  vi.spyOn(process.stderr, "write").mockImplementation(take);
  vi.spyOn(console, "error").mockImplementation((text) => void take(`${text}\n`));
  writeFileSync(out, "of an earlier run");
});
afterEach(() => void vi.restoreAllMocks());

/** One line on standard error that holds the message, exit code 1, and the output as it was. */
async function refuses(message: string, ...args: string[]) {
  const code = await papermill(args);
  expect(said.trimEnd().split("\n")).toEqual([expect.stringContaining(`papermill-ts: `)]);
  expect(said).toContain(message);
  expect(code).toBe(1);
  expect(readFileSync(out, "utf8")).toBe("of an earlier run");
}

describe("an input that is no notebook is refused in one line, and the output stays", () => {
  it.each([
    ["no JSON", "not json\n", "it is not JSON (Unexpected token 'o', \"not json \""],
    ["bytes", "\u0001\u0002\n\u0003", "it is not JSON ("],
    ["nothing", "", "it is empty"],
    [
      "nbformat 3",
      '{"nbformat": 3, "worksheets": []}',
      'nbformat 3, expected 4: open it in Jupyter and save it, or run "',
    ],
    [
      "nbformat 5",
      '{"nbformat": 5, "cells": []}',
      "nbformat 5, expected 4: have the program that wrote it save it in",
    ],
    ["no nbformat", '{"cells": []}', "without the field nbformat (expected 4)"],
    [
      "no kernel",
      '{"nbformat": 4, "cells": []}',
      "names no kernel in its metadata: say which with -k NAME (found ",
    ],
    [
      "a kernel nobody has",
      '{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"name": "nope"}}}',
      "no such kernel: nope (found ",
    ],
  ])("%s", async (_, text, message) => {
    writeFileSync(at("bad.ipynb"), text);
    await refuses(message, at("bad.ipynb"), out);
  });

  it.each([
    ["a folder", at("folder"), "is a folder, expected a file"],
    ["absent", at("absent.ipynb"), `no such notebook: ${at("absent.ipynb")}`],
    ["below a file", join(good, "x.ipynb"), "no such notebook: "],
    ["an empty name", "", "the input path is empty"],
  ])("%s", (_, input, message) => refuses(message, input, out));
});

describe("an output that cannot be written is refused in one line", () => {
  it.each([
    [
      "in a folder that is not there",
      at("no/x.ipynb"),
      `the output folder ${at("no")} does not exist: make it first`,
    ],
    ["below a file", join(good, "x.ipynb"), `the output folder ${good} is a file, expected a folder`],
    ["a folder", at("folder"), "is a folder, expected a file name"],
    ["an empty name", "", "the output path is empty"],
  ])("%s", (_, output, message) => refuses(message, good, output));

  it.skipIf(!existsSync("/proc/self/stat"))("in a folder that takes no files, whoever asks", async () => {
    await refuses("/proc", good, "/proc/x.ipynb");
    expect(said).not.toContain("another run");
  });

  it("that another run writes to", async () => {
    const free = lockOutput(out);
    await refuses(`another run (process ${process.pid}) is writing to ${out}: wait for it`, good, out);
    free();
  });
});

describe("parameters that cannot be read are refused in one line, and the output stays", () => {
  it.each([
    ["an absent file", at("absent.yaml"), "(there is none): expected a file in YAML or JSON"],
    ["a folder", at("folder"), "(it is a folder): expected a file in YAML or JSON"],
  ])("%s", (_, path, message) => refuses(message, good, out, "-f", path));

  it.each([
    ["no YAML", "a: [1\nb: 2\n", "p.yaml is not YAML (Flow sequence"],
    ["a list", "[1]", "got a list, expected NAME: VALUE on each line"],
    ["no UTF-8", Buffer.from([0x61, 0xff, 0xfe]), "is no text in UTF-8: expected YAML or JSON"],
    ["zeros", Buffer.from("a: \0"), "is no text in UTF-8: expected YAML or JSON"],
  ])("a file with %s", async (_, content, message) => {
    writeFileSync(at("p.yaml"), content);
    await refuses(message, good, out, "-f", at("p.yaml"));
  });

  it("what is no base64", () => refuses("are not YAML in base64", good, out, "-b", "%%%"));

  it("a language nobody translates to", () =>
    refuses('language "klingon" (there are typescript', good, out, "-l", "klingon", "-p", "a", "2"));

  it("a file for text in no folder, and a working directory that is a file", async () => {
    await refuses("cannot be written", good, out, "--stdout-file", at("no/x.txt"));
    said = "";
    await refuses("is a file, expected a folder", good, out, "--cwd", good);
  });
});

describe.skipIf(process.platform === "win32")("an output that is no plain file", () => {
  const prepare = (output: string) => papermill([good, output, "--prepare-only", "--log-level", "ERROR"]);

  it("is written to and stays what it is: a pipe gets the notebook, whole and once", async () => {
    const pipe = at("pipe.ipynb");
    execFileSync("mkfifo", [pipe]);
    const [text, code] = await Promise.all([readFile(pipe, "utf8"), prepare(pipe)]);
    expect(code).toBe(0);
    expect(parseNotebook(text, "pipe").cells).toHaveLength(1);
    expect(statSync(pipe).isFIFO()).toBe(true);
  });

  it("takes no lock: any number of runs may write to /dev/null", () => {
    const pipe = at("shared.ipynb");
    execFileSync("mkfifo", [pipe]);
    const free = [files.lock?.(pipe), files.lock?.(pipe)];
    expect(readdirSync(folder).filter((name) => name.endsWith(".lock"))).toEqual([]);
    for (const each of free) each?.();
  });
});

describe("a path with another extension", () => {
  it("is warned about in papermill's words, and written all the same", async () => {
    const prepare = (input: string, output: string) => papermill([input, output, "--prepare-only"]);
    expect(await prepare(good, at("notebook.txt"))).toBe(0);
    expect(said).toContain(
      `The specified file (${at("notebook.txt")}) does not end in one of ['.ipynb', '.json']\n`,
    );
    said = "";
    expect(await prepare(at("notebook.txt"), at("bare"))).toBe(0);
    expect(said.match(/does not end in/g)).toHaveLength(1);
    expect(said).toContain("the file is not specified with any extension : bare\n");
    said = "";
    expect(await prepare(at("bare"), at("notebook.json"))).toBe(0);
    expect(said.match(/extension/g)).toHaveLength(1);
    said = "";
    expect(await prepare(good, at("fine.ipynb"))).toBe(0);
    expect(said).not.toMatch(/extension|does not end/);
  });
});
