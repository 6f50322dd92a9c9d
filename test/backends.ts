import { beforeAll, describe, test } from "vitest";
import { messageOf } from "../src/base/errors.js";
import { BACKENDS, openBackend, type BackendName } from "../src/tensors/index.js";

/** A backend that is here, as a matrix of tests sees it. */
export interface TestedBackend {
  name: BackendName;
  /** Whether its devices are so slow (a GPU acted by a CPU) that a property is tried on a few cases only. */
  slow: boolean;
  /** So many runs of a property; fewer where the backend is slow. */
  runs: (many: number) => number;
  /** All of these cases; only the first where the backend is slow. */
  some: <T>(cases: readonly T[]) => T[];
  /** A test that a slow backend skips, by name. */
  long: (name: string, run: () => void | Promise<void>) => void;
}

/** The backends that a run is about, all of them unless ALIGNSCOPE_TEST_BACKENDS names some, e.g. `wasm,cpu`. */
function wanted(): BackendName[] {
  const named = process.env["ALIGNSCOPE_TEST_BACKENDS"]?.split(",");
  return BACKENDS.filter((name) => !named || named.includes(name));
}

/** What a backend is called in the names of tests: the wasm backend is two, with a BLAS and without. */
function label(name: BackendName): string {
  return name === "wasm" && process.env["ALIGNSCOPE_BLAS"] === "none" ? "wasm without BLAS" : name;
}

/**
 * Defines the same tests for each backend that opens here, and for each other one a skipped test that says why it does
 * not. Tests find the backend open; they read values with `await data()`, since webgpu has no dataSync.
 *
 * @example
 * onEachBackend(() => {
 *   test("one and one", async () => expect([...(await tf.add(1, 1).data())]).toEqual([2]));
 * });
 */
export function onEachBackend(define: (backend: TestedBackend) => void): void {
  for (const name of wanted()) {
    describe(`on the backend ${label(name)}`, async () => {
      let slow: boolean;
      try {
        slow = (await openBackend(name)).notes.some((note) => note.startsWith("software adapter"));
      } catch (error) {
        test.skip(messageOf(error), () => undefined);
        return;
      }
      beforeAll(async () => {
        await openBackend(name);
      });
      define({
        name,
        slow,
        runs: (many) => (slow ? Math.ceil(many / 20) : many),
        some: (cases) => (slow ? cases.slice(0, 1) : [...cases]),
        long: (title, run) =>
          slow ? test.skip(`${title} (too long for a software adapter)`, run) : test(title, run),
      });
    });
  }
}
