import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agreementWithCommitted, openProject } from "../../src/pipeline/index.js";

const project = await openProject();
const missing = !existsSync(join(project.committed, "manifest.json"))
  ? "no committed results"
  : existsSync(join(project.outputs, ".state"))
    ? undefined
    : "run `npm run reproduce` first";

/** With other kernels for matrix products one value in thirty moves beyond the tolerance. */
const MOVED_BY_OTHER_KERNELS = 0.1;

describe.skipIf(missing !== undefined)(
  `the committed results of the profile lab (${missing ?? "here"})`,
  () => {
    it("are what a run finds: every table's and figure's data within the tolerance, or nearly all with another BLAS", () => {
      const { difference } = agreementWithCommitted(project)!;
      const { data, onlyA, onlyB, files, values, environment } = difference;
      expect(files).toBeGreaterThan(60);
      expect(values).toBeGreaterThan(10_000);
      expect({ onlyA, onlyB }).toEqual({ onlyA: [], onlyB: [] });
      if (environment.some(({ name }) => name === "blas")) {
        const moved = data.reduce((sum, one) => sum + one.moved.length, 0);
        expect(moved / values).toBeLessThan(MOVED_BY_OTHER_KERNELS);
      } else {
        expect(data.map(({ path, moved }) => ({ path, moved: moved.slice(0, 3) }))).toEqual([]);
      }
    });

    it("say the same of every claim", () => {
      const { judged, verdicts } = agreementWithCommitted(project)!;
      expect(judged).toBe(22);
      expect(verdicts).toEqual([]);
    });
  },
);
