import type { Command } from "commander";
import { LinesProgress } from "../progress.js";
import { addProjectOptions, projectOptions } from "../project-options.js";
import { exitCodeOf } from "../run-summary.js";
import { untilSignalled } from "../signals.js";
import { describeFailure } from "./reproduce.js";

interface RunNotebookFlags {
  force?: boolean;
  wait?: boolean;
}

/** `alignscope run-notebook`: one step of a workflow; several may run in one output folder at the same time. */
export function runNotebookCommand(program: Command): void {
  addProjectOptions(
    program
      .command("run-notebook")
      .description(
        "run one notebook unless it is up to date, beside others in the same folder: the step of a workflow " +
          "(`plan --export snakemake`), which ends with `reproduce` for manifest and pages",
      )
      .argument("<name>", "the notebook, or the beginning of its name: 3.3"),
  )
    .option("--force", "also if it is up to date")
    .option("--wait", "while another run is at the same notebook or the folder, instead of an error")
    .action(async (name: string, options: Parameters<typeof projectOptions>[0] & RunNotebookFlags) => {
      const { openProject, runNotebook } = await import("../../pipeline/index.js");
      const project = await openProject(projectOptions(options));
      const progress = new LinesProgress(process.stderr);
      const { value: result, signal } = await untilSignalled((abort) =>
        runNotebook(project, name, {
          force: options.force === true,
          wait: options.wait === true,
          signal: abort,
          onEvent: (event) => progress.report(event),
        }),
      );
      if (result.result === "failed" && !result.interrupted) console.error(describeFailure(name, result));
      process.exitCode = exitCodeOf([result], signal);
    });
}
