import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { comparisonWithGolden, worstOf } from "../../../src/cli/parity/index.js";
import { SECTIONS } from "../../../src/cli/parity/sections.js";
import { openBackend } from "../../../src/tensors/index.js";
import { onEachBackend } from "../../backends.js";
import { newFolder, TINY } from "../../model/folders.js";

/** Passes of many shapes, each of which costs a GPU its own programs. */
const LONG = ["forward", "gradients", "padding", "perplexity"];

onEachBackend(({ long }) => {
  for (const section of Object.keys(SECTIONS)) {
    const define = LONG.includes(section) ? long : test;
    define(`float64 golden values: ${section}`, async () => {
      const { results } = await comparisonWithGolden(TINY, [section]);
      expect(results).toHaveLength(1);
      for (const result of results)
        expect(worstOf(result)).toSatisfy(
          (worst: { error: number; tolerance: number }) => worst.error <= worst.tolerance,
        );
    });
  }
});

test("a golden value that is off is found, and the check that misses is named", async () => {
  await openBackend("wasm");
  const folder = newFolder();
  cpSync(TINY, folder, { recursive: true });
  const golden = JSON.parse(readFileSync(join(TINY, "golden.json"), "utf8")) as {
    forward: { hooks: Record<string, { first8: number[] }> };
    padding: { greedy10_masked: number[][] };
  };
  const hook = golden.forward.hooks["blocks.1.mlp.hook_post"] as { first8: number[] };
  hook.first8[3] = (hook.first8[3] as number) + 0.01;
  (golden.padding.greedy10_masked[0] as number[])[4] = 1;
  writeFileSync(join(folder, "golden.json"), JSON.stringify(golden));
  const { results } = await comparisonWithGolden(folder, ["forward", "padding"]);
  expect(results.map(({ passed }) => passed)).toEqual([false, false]);
  expect(results.map((result) => worstOf(result)?.name)).toEqual([
    "blocks.1.mlp.hook_post",
    "masked: greedy tokens",
  ]);
});

test("a folder without golden values is refused", async () => {
  await expect(comparisonWithGolden(newFolder())).rejects.toThrow(/golden\.json is missing/);
});
