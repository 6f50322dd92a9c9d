import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import { writeFileAtomic } from "../../src/base/files.js";
import { explain } from "../../src/pipeline/failure.js";
import { systemErrorInWords } from "../../src/base/system-errors.js";

function caught(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

it.runIf(process.platform === "linux")("says of a full disk what could not be written and what to do", () => {
  const error = caught(() => writeFileSync("/dev/full", "x"));
  expect(systemErrorInWords(error)).toMatch(
    /^cannot open or write .*: no space is left on the disk; make room and run the same command again$/,
  );
});

it("says of a file where a folder is expected which one it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "alignscope-words-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "file"), "");
  expect(systemErrorInWords(caught(() => writeFileAtomic(join(folder, "file", "sub", "a"), "x")))).toContain(
    join(folder, "file"),
  );
});

it.runIf(process.platform === "linux")("is what a run says of a notebook that could not be saved", () => {
  const { message } = explain(
    caught(() => writeFileSync("/dev/full", "x")),
    undefined,
  );
  expect(message).toMatch(/no space is left on the disk; make room/);
});

it("has nothing to say of errors that are not the file system's", () => {
  expect(systemErrorInWords(new Error("ENOSPC"))).toBeUndefined();
  expect(systemErrorInWords("ENOSPC")).toBeUndefined();
});

it("is all that a command prints of an error of the file system", async () => {
  let err = "";
  const spy = vi.spyOn(console, "error").mockImplementation((text: string) => void (err += `${text}\n`));
  onTestFinished(() => spy.mockRestore());
  const out = "/dev/null/Snakefile";
  expect(await main(["node", "alignscope", "plan", "--export", "snakemake", "--out", out])).toBe(1);
  expect(err).toMatch(/^alignscope: cannot .*\/dev\/null.*\n$/);
});
