import type { Command } from "commander";
import { join } from "node:path";
import { projectRoot } from "../../data/paths";

/** `alignscope site`: the pages again, from what the last run left. */
export function siteCommand(program: Command): void {
  program
    .command("site")
    .description("render the pages for readers from the results of the last run")
    .option("--profile <name>", "whose results: outputs/NAME", "lab")
    .option("--outputs <dir>", "the results in this folder")
    .action(async ({ profile, outputs }: { profile: string; outputs?: string }) => {
      const { buildSite } = await import("../../site/index.js");
      console.log(buildSite(outputs ?? join(projectRoot(), "outputs", profile)));
    });
}
