import type { Command } from "commander";
import { join } from "node:path";
import { projectRoot } from "@alignscope/base/paths";
import { claimsText, comparisonText, unstableClaims } from "../claims-text.js";

/** `alignscope claims`: what holds of the paper's claims, in one run or side by side in several. */
export function claimsCommand(program: Command): void {
  program
    .command("claims")
    .description("show what holds of the paper's claims; of several runs, which verdicts differ")
    .argument("[dirs...]", "folders of runs (default: outputs/PROFILE)")
    .option("--profile <name>", "lab, lab-full, gpt2 or paper", "lab")
    .option("--json", "for machines")
    .action(async (dirs: string[], { profile, json }: { profile: string; json?: boolean }) => {
      const { readClaims } = await import("../../pipeline/claims.js");
      const { countVerdicts } = await import("../../present/claims/index.js");
      const folders = dirs.length > 0 ? dirs : [join(projectRoot(), "outputs", profile)];
      const runs = folders.map((folder) => ({ name: folder, ...readClaims(folder) }));
      if (json) {
        const described = runs.map(({ name, ...run }) => ({
          outputs: name,
          profile: run.profile,
          counts: countVerdicts(run.claims),
          claims: run.claims,
        }));
        console.log(JSON.stringify({ runs: described, unstable: unstableClaims(runs) }, null, 2));
        return;
      }
      const [first, ...others] = runs;
      if (first) console.log(others.length > 0 ? comparisonText(runs) : claimsText(first.claims));
    });
}
