import type { Command } from "commander";
import { UserError } from "@alignscope/base/errors";
import { columns } from "@alignscope/base/columns";

/** `alignscope parity DIR`: this implementation against a folder of golden values. */
export function parityCommand(program: Command): void {
  program
    .command("parity")
    .description("compare with a folder of golden values (config.json, model.safetensors, golden.json)")
    .argument("<folder>")
    .option("--backend <name>", "auto, cuda, native, webgpu, wasm or cpu", "auto")
    .option("--section <name...>", "only these sections")
    .option("--json", "for machines: every single check")
    .action(async (folder: string, options: { backend: string; section?: string[]; json?: boolean }) => {
      const { describeBackend, openBackend } = await import("@alignscope/tensors");
      const { comparisonWithGolden, worstOf } = await import("../parity/index.js");
      const { SECTIONS } = await import("../parity/sections.js");
      const stranger = options.section?.find((name) => !(name in SECTIONS));
      if (stranger)
        throw new UserError(`unknown section: ${stranger} (expected ${Object.keys(SECTIONS).join(", ")})`);
      const backend = await openBackend(options.backend);
      const { results, unknown } = await comparisonWithGolden(folder, options.section);
      if (results.length === 0) {
        throw new UserError(
          `${folder}: golden.json holds none of the sections ${Object.keys(SECTIONS).join(", ")}`,
        );
      }
      if (options.json) {
        console.log(JSON.stringify({ folder, backend, results, unknown }, null, 2));
      } else {
        console.log(describeBackend({ ...backend, passedOver: [] }));
        const rows = results.map((result) => {
          const worst = worstOf(result);
          const error = worst ? `${worst.error.toExponential(1)} (${worst.name})` : "nothing to compare";
          return [result.section, String(result.checks.length), error, result.passed ? "ok" : "MISS"];
        });
        console.log(columns([["section", "checks", "worst error", "verdict"], ...rows]));
        if (unknown.length > 0) console.log(`not compared: ${unknown.join(", ")}`);
      }
      if (results.some(({ passed }) => !passed)) process.exitCode = 1;
    });
}
