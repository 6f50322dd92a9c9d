import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import { judge, type Measured, mergeClaims } from "../../src/present/claims/index.js";

let root: string;
let out: string[];
let err: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "alignscope-claims-"));
  out = [];
  err = [];
  vi.spyOn(console, "log").mockImplementation((text: string) => void out.push(text));
  vi.spyOn(console, "error").mockImplementation((text: string) => void err.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

/** A folder with the verdicts of a run in which one notebook spoke. */
function folder(name: string, said: Record<string, Measured | string>): string {
  const path = mkdtempSync(join(root, `${name}-`));
  const claims = Object.entries(said).map(([id, measured]) => judge(id, measured));
  const merged = mergeClaims([{ notebook: "5.1-parameters", part: "5.1", claims }]);
  writeFileSync(join(path, "claims.json"), JSON.stringify({ profile: "lab", claims: merged }));
  return path;
}

const claims = (...args: string[]): Promise<number> => main(["node", "alignscope", "claims", ...args]);

describe("alignscope claims", () => {
  it("shows the verdict on every claim of a run and how many there are of each", async () => {
    const path = folder("run", {
      C10: { tensorMin: 1, rowMin: 0.5 },
      C7: "too few pairs",
      C17: { negative: 1 },
    });
    expect(await claims(path)).toBe(0);
    const text = out.join("\n");
    expect(text).toMatch(/^C1 +The probe finds toxicity +not run/m);
    expect(text).toMatch(
      /^C10 +Parameters hardly turn +does not hold +smallest cosine of a vector 0\.50000 \(band ≥ 0\.99\)$/m,
    );
    expect(text).toMatch(/^C7 .* not measurable +too few pairs$/m);
    expect(text).toContain(
      "22 claims: 1 holds, 1 does not, 1 cannot be measured here, 19 have not been run.",
    );
  });

  it("compares several runs and says which verdicts are not stable; a run that is silent contradicts nobody", async () => {
    const one = folder("one", { C10: { tensorMin: 1, rowMin: 1 }, C17: { negative: 1 } });
    const two = folder("two", { C10: { tensorMin: 1, rowMin: 0.5 }, C7: "too few pairs" });
    expect(await claims(one, two)).toBe(0);
    const text = out.join("\n");
    expect(text).toMatch(/^C10 .* holds +does not hold +NOT STABLE$/m);
    expect(text).toMatch(/^C17 .* holds +not run$/m);
    expect(text).toContain(`1 not stable: C10 (holds in ${one}, does not hold in ${two}).`);
    out.length = 0;
    expect(await claims(one, one)).toBe(0);
    expect(out.join("\n")).toContain("No verdict differs between the 2 runs.");
  });

  it("gives machines the same", async () => {
    const one = folder("one", { C10: { tensorMin: 1, rowMin: 1 } });
    const two = folder("two", { C10: { tensorMin: 1, rowMin: 0.5 } });
    expect(await claims("--json", one, two)).toBe(0);
    const read = JSON.parse(out.join("\n")) as {
      runs: { outputs: string; counts: object; claims: unknown[] }[];
      unstable: string[];
    };
    expect(read.unstable).toEqual(["C10"]);
    expect(read.runs.map(({ outputs }) => outputs)).toEqual([one, two]);
    expect(read.runs[0]?.counts).toMatchObject({ holds: 1, "not run": 21 });
    expect(read.runs[0]?.claims).toHaveLength(22);
  });

  it("says in one line where nothing has been run", async () => {
    expect(await claims(join(root, "nowhere"))).toBe(1);
    expect(err.join("\n")).toMatch(
      /^alignscope: no such folder: .*nowhere .*run `alignscope reproduce` first$/,
    );
  });
});
