import type { Command } from "commander";
import { join } from "node:path";
import { projectRoot } from "@alignscope/base/paths";

/** `alignscope verify`: whether a finished folder is what its manifest says. */
export function verifyCommand(program: Command): void {
  program
    .command("verify")
    .description(
      "hold a run's folder against its manifest: every file by its sha256, every notebook run to its end, tables and claims " +
        "consistent; exit code 1 if anything differs",
    )
    .argument("[dir]", "folder of a run (default: outputs/PROFILE)")
    .option("--profile <name>", "lab, lab-full, gpt2 or paper", "lab")
    .option("--json", "for machines")
    .action(async (dir: string | undefined, { profile, json }: { profile: string; json?: boolean }) => {
      const { verify } = await import("../../pipeline/index.js");
      const outputs = dir ?? join(projectRoot(), "outputs", profile);
      const verification = await verify(outputs);
      const { files, notebooks, findings } = verification;
      if (findings.length > 0) process.exitCode = 1;
      if (json) {
        console.log(JSON.stringify({ ok: findings.length === 0, ...verification }, null, 2));
        return;
      }
      for (const { kind, what, message } of findings) console.log(`${kind}: ${what}: ${message}`);
      const looked = `${files} files of ${notebooks} notebooks in ${outputs}`;
      console.log(
        findings.length === 0
          ? `${looked} are what the manifest says`
          : `${looked}: ${findings.length} ${findings.length === 1 ? "difference" : "differences"}`,
      );
    });
}
