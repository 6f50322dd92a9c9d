import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { agreementText } from "../../src/cli/diff-text.js";
import { agreementWithCommitted, openProject, type Project } from "../../src/pipeline/index.js";
import { Series, temporaryFolder } from "./helpers.js";

interface Findings {
  data?: Record<string, string>;
  verdicts?: Record<string, string>;
  blas?: string;
  title?: string;
}

/** A run's folder with its manifest, data and verdicts. */
function leave(
  folder: string,
  title: string,
  { data = {}, verdicts = {}, blas = "OpenBLAS" }: Findings = {},
): void {
  const notebook = { name: "1", outputs: {}, parameters: {}, madeBy: { blas } };
  const claims = Object.entries(verdicts).map(([id, verdict]) => ({ id, verdict }));
  const files = {
    "manifest.json": JSON.stringify({ profile: "small", title, notebooks: [notebook] }),
    "claims.json": JSON.stringify({ profile: "small", claims }),
    ...data,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A project whose committed run and own results found these. */
async function project(committed: Findings, own: Findings): Promise<Project> {
  const opened = { ...(await new Series().open()), committed: temporaryFolder() };
  leave(opened.committed, committed.title ?? opened.graph.title, committed);
  leave(opened.outputs, opened.graph.title, own);
  return opened;
}

async function line(committed: Findings, own: Findings): Promise<string> {
  const opened = await project(committed, own);
  return agreementText(agreementWithCommitted(opened)!, (folder) =>
    folder === opened.committed ? "COMMITTED" : "OWN",
  );
}

const table = (x: number): Record<string, string> => ({ "tables/t.csv": `name,x\none,${x}\ntwo,2\n` });

describe("a run beside the committed one", () => {
  it("is said to agree with it in values, within a tolerance, and in verdicts", async () => {
    const verdicts = { C1: "holds", C2: "does not hold" };
    expect(await line({ data: table(1), verdicts }, { data: table(1.0005), verdicts })).toBe(
      "Beside the committed run, COMMITTED: 4 of 4 values within 0.1 % in 1 tables and figures; all 2 verdicts the same.",
    );
  });

  it("is said to differ from it with where, in which verdicts, on which machine, and what shows more", async () => {
    const there = { data: table(1), verdicts: { C1: "holds", C2: "holds" } };
    const here = { data: table(3), verdicts: { C1: "holds", C2: "does not hold" }, blas: "none" };
    expect(await line(there, here)).toBe(
      "Beside the committed run, COMMITTED: 3 of 4 values within 0.1 % in 1 tables and figures; " +
        "1 of 2 verdicts the same, C2 holds there, does not hold here; what differs is in t; other settings: blas; " +
        "`npx alignscope diff COMMITTED OWN --rtol 0.001` shows it.",
    );
  });

  it("that is not whole yet is held against the part that it has made", async () => {
    const there = {
      data: { ...table(1), "figures/f.csv": "x\n1\n" },
      verdicts: { C1: "holds", C2: "holds" },
    };
    const here = { data: table(1), verdicts: { C1: "holds", C2: "not run" } };
    expect(await line(there, here)).toContain(
      "4 of 4 values within 0.1 % in 1 tables and figures; 1 more are only there; all 1 verdicts the same.",
    );
  });

  it("is only compared with one of the same series, and not with itself", async () => {
    const opened = await project({ title: "another series" }, {});
    expect(agreementWithCommitted(opened)).toBeUndefined();
    expect(agreementWithCommitted({ ...opened, committed: opened.outputs })).toBeUndefined();
    expect(agreementWithCommitted({ ...opened, committed: temporaryFolder() })).toBeUndefined();
  });

  it("lies outside the folder that runs are written to", async () => {
    const { committed, outputs } = await openProject();
    expect([committed, outputs].map((folder) => folder.split(/[\\/]/).at(-1))).toEqual([
      "lab-committed",
      "lab",
    ]);
  });
});
