import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DPO_SETTINGS } from "../../src/alignment/dpo/index.js";
import { projectRoot } from "../../src/base/paths.js";
import { openProject } from "../../src/pipeline/index.js";
import { textOf } from "./documents.js";

/** Rows of the tables that number the differences, by their cells. */
const rows = textOf("docs/discrepancies.md")
  .split("\n")
  .filter((line) => /^\| \d+ +\|/.test(line))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const namesIn = (cell: string): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name as string);

describe("docs/discrepancies.md", () => {
  it("has each of the thirty differences once, with all that is to be said of it", () => {
    const numbers = rows.map(([number]) => Number(number)).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    for (const row of rows)
      expect(
        row.filter((cell) => cell === ""),
        row.join(" | "),
      ).toEqual([]);
  });

  it("names as what chooses only parameters of notebooks and settings of DPO", async () => {
    const { declared } = await openProject();
    const parameters = [...declared.values()].flat().map(({ name }) => name);
    const known = new Set([...parameters, ...Object.keys(DPO_SETTINGS.corrected), "reach"]);
    for (const row of rows) {
      for (const name of namesIn(row[4] as string)) expect(known.has(name), `${row[0]}: ${name}`).toBe(true);
    }
  });

  it("says of each setting of DPO that it names what the two sets of settings have", () => {
    const named = rows
      .flatMap((row) => namesIn(row[4] as string))
      .filter((name) => name in DPO_SETTINGS.corrected);
    for (const name of named as (keyof typeof DPO_SETTINGS.corrected)[]) {
      expect(DPO_SETTINGS.corrected[name], name).not.toEqual(DPO_SETTINGS["as-published"][name]);
    }
  });

  it("gives for the profiles what their files set", () => {
    const profile = (name: string): string =>
      readFileSync(join(projectRoot(), "notebooks", "profiles", `${name}.yaml`), "utf8");
    for (const name of ["gpt2", "paper"]) {
      for (const line of [
        "padding: as-published",
        "svdVectors: 512",
        "dpoPatience: 10",
        "dpoWarmupSteps: 150",
      ]) {
        expect(profile(name), name).toContain(line);
      }
    }
    for (const name of ["lab", "lab-full"]) {
      for (const line of [
        "padding: masked",
        "svdVectors: 128",
        "dpoPatience: 3",
        "dpoLearningRate: 0.00001",
      ]) {
        expect(profile(name), name).toContain(line);
      }
    }
    for (const name of ["lab", "lab-full", "gpt2", "paper"]) {
      expect(profile(name)).toContain("dpoSettings: corrected");
      expect(profile(name)).not.toContain("protocol:");
    }
  });
});
