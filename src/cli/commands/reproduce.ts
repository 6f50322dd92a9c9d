import type { Command } from "commander";
import { join, relative } from "node:path";
import type { NotebookResult, Project } from "../../pipeline/index.js";
import { blasHint } from "../blas-hint.js";
import { checkMachine } from "../check-backend.js";
import { claimsText } from "../claims-text.js";
import { agreementText } from "../diff-text.js";
import { exitCodeOf, runSummary } from "../run-summary.js";
import { type StopSignal, untilSignalled } from "../signals.js";
import { openProgress } from "../progress.js";
import { addProjectOptions, collectWords, positiveInteger, projectOptions } from "../project-options.js";
import { printForecast } from "./plan.js";

interface ReproduceFlags {
  only?: string[];
  from?: string[];
  force?: boolean;
  dryRun?: boolean;
  json?: boolean;
  jobs: number;
}

/** `alignscope reproduce`: every notebook that is not up to date, in order, then the pages for readers. */
export function reproduceCommand(program: Command): void {
  addProjectOptions(
    program
      .command("reproduce")
      .description("run the notebooks that are not up to date and render the pages"),
  )
    .option(
      "--only <names>",
      "only these notebooks, on the artifacts that are there; beginnings of names will do: 3.3",
      collectWords,
    )
    .option("--from <names>", "these notebooks and every one that depends on them", collectWords)
    .option("--force", "run what is up to date as well")
    .option(
      "--dry-run",
      "show what would run and why, what has to be fetched and what it may take; run nothing",
    )
    .option("--json", "with --dry-run: for machines")
    .option(
      "--jobs <n>",
      "notebooks that may run at the same time, of those on a GPU never more than one",
      positiveInteger,
      1,
    )
    .action(async (options: Parameters<typeof projectOptions>[0] & ReproduceFlags) => {
      const { agreementWithCommitted, hasClaims, openProject, plan, readClaims } =
        await import("../../pipeline/index.js");
      const project = await openProject(projectOptions(options));
      const planned = await plan(project, options);
      if (options.dryRun) {
        await printForecast(project, planned, options);
        return;
      }
      const toRun = planned.filter(({ action }) => action !== "skip");
      if (toRun.length > 0) {
        const part = options.only !== undefined || options.from !== undefined;
        const warning = await checkMachine(project, { part });
        if (warning !== undefined) console.error(`warning: ${warning}`);
      }
      if (toRun.some(({ parameters }) => "backend" in parameters)) {
        const hint = blasHint(project.given["backend"]);
        if (hint) console.error(hint);
      }
      const { results, signal } = await runAndShow(project, planned, options);
      const { buildSite } = await import("../../site/index.js");
      const index = await buildSite(project.outputs);
      console.log(runSummary(results));
      if (hasClaims(project.outputs)) console.log(`\n${claimsText(readClaims(project.outputs).claims)}`);
      for (const [name, result] of results) {
        if (result.result === "failed" && !result.interrupted) console.error(describeFailure(name, result));
      }
      console.log(`\nRead ${here(index)} in a browser; figures, tables and notebooks lie beside it.`);
      const agreement = agreementWithCommitted(project);
      if (agreement) console.log(agreementText(agreement, here));
      process.exitCode = exitCodeOf([...results.values()], signal);
    });
}

async function runAndShow(
  project: Project,
  planned: Parameters<typeof openProgress>[0],
  options: ReproduceFlags,
): Promise<{ results: ReadonlyMap<string, NotebookResult>; signal: StopSignal | undefined }> {
  const { reproduce } = await import("../../pipeline/index.js");
  const progress = planned.some(({ action }) => action !== "skip") ? openProgress(planned) : undefined;
  try {
    const { value, signal } = await untilSignalled((abort) =>
      reproduce(project, { ...options, signal: abort, onEvent: (event) => progress?.report(event) }),
    );
    return { results: value, signal };
  } finally {
    progress?.stop();
  }
}

/** A failed notebook with its cell's error, for people. */
export function describeFailure(
  name: string,
  { cell, kept, message }: NotebookResult & { result: "failed" },
): string {
  const lines = [`\n${name} failed${cell ? ` in its cell In [${cell.executionCount ?? " "}]` : ""}:`];
  lines.push(cell?.traceback || message);
  if (kept) lines.push(`The notebook as far as it came: ${here(kept)}`);
  return lines.join("\n");
}

/** A path as seen from where the command was given. */
function here(path: string): string {
  const seen = relative(process.cwd(), path);
  return seen.startsWith("..") ? path : join(".", seen);
}
