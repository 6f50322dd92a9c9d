import type { Command } from "commander";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { duration } from "../../present/format.js";
import { columns } from "@alignscope/base/columns";
import { addProjectOptions, projectOptions } from "../project-options.js";

/** `alignscope status`: what there is in an output folder and whether it still holds. */
export function statusCommand(program: Command): void {
  addProjectOptions(
    program
      .command("status")
      .description("show which results there are, from when, and whether they are up to date"),
  )
    .option("--json", "for machines")
    .action(async (options: Parameters<typeof projectOptions>[0] & { json?: boolean }) => {
      const { openProject, plan, readState } = await import("../../pipeline/index.js");
      const project = await openProject(projectOptions(options));
      const state = readState(project.outputs);
      const notebooks = (await plan(project)).map(({ notebook: { name }, action, reasons }) => {
        const finished = state.notebooks[name];
        const failed = join(project.outputs, "notebooks", `${name}.failed.ipynb`);
        return {
          notebook: name,
          status: !finished ? "missing" : action === "skip" ? "up to date" : "out of date",
          reasons: finished && action !== "skip" ? reasons : [],
          finishedAt: finished && new Date(Date.parse(finished.startedAt) + 1000 * finished.seconds),
          seconds: finished?.seconds,
          outputs: Object.keys(finished?.outputs ?? {}).length,
          failed: existsSync(failed) ? failed : null,
        };
      });
      if (options.json) {
        console.log(
          JSON.stringify({ profile: project.profile.name, outputs: project.outputs, notebooks }, null, 2),
        );
        return;
      }
      console.log(`${project.profile.name}: ${project.outputs}\n`);
      console.log(
        columns(
          notebooks.map((entry) => [
            entry.notebook,
            entry.status,
            entry.finishedAt?.toISOString().slice(0, 16).replace("T", " ") ?? "",
            entry.seconds === undefined ? "" : duration(entry.seconds * 1000),
            entry.outputs > 0 ? `${entry.outputs} files` : "",
            [...entry.reasons, ...(entry.failed ? [`its last run failed: ${entry.failed}`] : [])].join("; "),
          ]),
        ),
      );
    });
}
