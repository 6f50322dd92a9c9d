import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { scorersCommand } from "../../src/cli/commands/scorers.js";
import { projectRoot } from "../../src/base/paths.js";
import { mirror, temporaryFolder, withMirror } from "../data/helpers.js";

const tiny = join(projectRoot(), "test/fixtures/tiny-toxic-bert");
let printed: string[];
let cache: string;

beforeEach(() => {
  printed = [];
  cache = temporaryFolder();
  vi.spyOn(console, "log").mockImplementation((line: string) => void printed.push(line));
  for (const name of ["PERSPECTIVE_API_KEY", "ALIGNSCOPE_TOXIC_BERT", "ALIGNSCOPE_MIRROR"])
    vi.stubEnv(name, "");
  vi.stubEnv("ALIGNSCOPE_CACHE", cache);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function run(...words: string[]): Promise<string> {
  const program = new Command().exitOverride();
  scorersCommand(program);
  await program.parseAsync(["node", "x", "scorers", ...words]);
  return printed.join("\n");
}

describe("alignscope scorers", () => {
  it("lists every scorer, and says of each that it opens here or why not", async () => {
    const text = await run();
    expect(text).toMatch(/linear +the project's own[^\n]+\n +opens here; calibrated by itself/);
    expect(text).toMatch(/profanity-check [^\n]+\n +cannot find profanity-check-linear/);
    expect(text).toMatch(/toxic-bert [^\n]+\n +cannot find toxic-bert[^\n]+ALIGNSCOPE_TOXIC_BERT/);
    expect(text).toMatch(
      /perspective [^\n]+2026-12-31[^\n]+\n +perspective needs a key[^\n]+PERSPECTIVE_API_KEY/,
    );
  });

  it.each(["linear", "perspective"])("has nothing to calibrate for %s", async (name) => {
    await expect(run("calibrate", name)).rejects.toThrow(/: nothing to do$/);
  });

  it("refuses a seed and a reading that are none", async () => {
    await expect(run("calibrate", "profanity-check", "--seed", "x")).rejects.toThrow(
      /^--seed is x, expected/,
    );
    await expect(run("agreement", "--reading", "x")).rejects.toThrow(/^unknown reading: x/);
  });
});

describe.skipIf(mirror === undefined)(`with the scored sets${withMirror}`, () => {
  beforeEach(() => {
    vi.stubEnv("ALIGNSCOPE_MIRROR", mirror);
  });

  it("agreement measures what opens here, and says of the others why not, in one line each", async () => {
    const text = await run("agreement");
    expect(text).toMatch(/^scorer +texts +Pearson +Spearman +AUROC +error +calibrated +mean\n/);
    expect(text).toMatch(/\nlinear +9\d\d +0\.9\d{3} /);
    expect(text).toMatch(/\nprofanity-check +9\d\d +0\.8\d{3} /);
    expect(text).toMatch(/\ntoxic-bert: not measured: [^\n]+\nperspective: not measured: [^\n]+\n/);
    printed = [];
    const { rows } = JSON.parse(await run("agreement", "--only", "profanity-check", "--json")) as {
      rows: { meanError: number; meanErrorCalibrated: number }[];
    };
    expect(rows[0]?.meanErrorCalibrated).toBeLessThan(0.8 * (rows[0]?.meanError ?? 0));
  });

  it("calibrate writes where `score --calibrated` looks, for a model of the reader's own", async () => {
    vi.stubEnv("ALIGNSCOPE_TOXIC_BERT", tiny);
    const text = await run("calibrate", "toxic-bert");
    const path = join(cache, "calibrations", "toxic-bert.json");
    expect(text).toContain(path);
    expect(existsSync(path)).toBe(true);
    expect(readFileSync(path, "utf8")).toContain('"identity": "toxic-bert:');
    printed = [];
    expect(await run()).toMatch(/toxic-bert [^\n]+\n +opens here; can be calibrated/);
  });
});
