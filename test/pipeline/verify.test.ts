import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { reproduce, verify } from "../../src/pipeline/index.js";
import { pretendToRun, Series } from "./helpers.js";

vi.mock(import("../../src/pipeline/provenance.js"), async (original) => ({
  ...(await original()),
  environment: () => Promise.resolve({ library: "l", packages: "p", kernel: "k" }),
}));

async function finished(failing: string[] = []): Promise<Series> {
  const series = new Series();
  const { execute } = pretendToRun(failing);
  await reproduce(await series.open(), { execute });
  return series;
}

async function found(series: Series): Promise<string[]> {
  return (await verify(series.outputs)).findings.map(({ kind, what }) => `${kind}: ${what}`);
}

describe("verify", () => {
  it("finds nothing in a folder that a run has just left", async () => {
    const verification = await verify((await finished()).outputs);
    expect(verification).toMatchObject({ profile: "small", notebooks: 4, findings: [] });
    expect(verification.files).toBe(8);
  });

  it("names every file that is gone, changed or nobody's", async () => {
    const series = await finished();
    rmSync(join(series.outputs, "tables/sum.csv"));
    writeFileSync(join(series.outputs, "figures/dots-3.svg"), "<svg>drawn over</svg>");
    writeFileSync(join(series.outputs, "tables/mine.csv"), "a\n1\n");
    expect(await found(series)).toEqual([
      "changed: figures/dots-3.svg",
      "missing: tables/sum.csv",
      "extra: tables/mine.csv",
    ]);
  });

  it("names notebooks that failed or have not run", async () => {
    const series = await finished(["2-middle"]);
    expect(await found(series)).toEqual(["incomplete: 2-middle", "incomplete: 3-last"]);
  });

  it("names a notebook whose executed copy stopped in a cell", async () => {
    const series = await finished();
    const path = join(series.outputs, "notebooks/X-aside.ipynb");
    const output = '"outputs":[{"output_type":"error","ename":"E","evalue":"","traceback":[]}]';
    writeFileSync(path, series.result("notebooks/X-aside.ipynb").replace(/"outputs": ?\[\]/, output));
    expect(await found(series)).toContain("incomplete: X-aside");
  });

  it("names a notebook that read another artifact than its maker has left since", async () => {
    const series = await finished();
    const manifest = series.result("manifest.json");
    const [sum] = /(?<="numbers.json": ")[0-9a-f]+/.exec(manifest) ?? [];
    writeFileSync(
      join(series.outputs, "manifest.json"),
      manifest.replace(`"numbers.json": "${sum}"`, `"numbers.json": "${"0".repeat(64)}"`),
    );
    expect(await found(series)).toEqual(["inconsistent: 2-middle"]);
  });

  it("says in one line when there is no manifest, or one of a later format", async () => {
    const series = await finished();
    await expect(verify(join(series.outputs, "nowhere"))).rejects.toThrow("no such folder");
    writeFileSync(
      join(series.outputs, "manifest.json"),
      series.result("manifest.json").replace('"format": 2', '"format": 99'),
    );
    await expect(verify(series.outputs)).rejects.toThrow("has format 99, this version reads up to 2");
  });
});
