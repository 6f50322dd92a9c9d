import type { Command } from "commander";
import { join } from "node:path";
import { projectRoot } from "@alignscope/base/paths";

interface SiteFlags {
  profile: string;
  outputs?: string;
  pdf?: boolean | string;
}

/** `alignscope site`: the pages again, from what the last run left; as a PDF as well. */
export function siteCommand(program: Command): void {
  program
    .command("site")
    .description("render the pages for readers from the results of the last run")
    .option("--profile <name>", "whose results: outputs/NAME", "lab")
    .option("--outputs <dir>", "the results in this folder")
    .option(
      "--pdf [file]",
      "print the whole report as well, with an installed Chromium or Chrome (default: site/report.pdf)",
    )
    .action(async ({ profile, outputs, pdf }: SiteFlags) => {
      const { buildSite, printReport, siteFolder } = await import("../../site/index.js");
      const folder = outputs ?? join(projectRoot(), "outputs", profile);
      console.log(await buildSite(folder));
      if (!pdf) return;
      const target = typeof pdf === "string" ? pdf : join(siteFolder(folder), "report.pdf");
      await printReport(siteFolder(folder), target);
      console.log(target);
    });
}
