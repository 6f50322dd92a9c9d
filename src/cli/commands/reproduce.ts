import type { Command } from "commander";
import { join, relative } from "node:path";
import type { NotebookResult, Project } from "../../pipeline";
import { duration } from "../../present/format";
import { checkBackend } from "../check-backend";
import { claimsText } from "../claims-text";
import { columns } from "../columns";
import { openProgress } from "../progress";
import { addProjectOptions, collectWords, positiveInteger, projectOptions } from "../project-options";
import { printForecast } from "./plan";

interface ReproduceFlags {
  only?: string[];
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
    .option("--force", "run what is up to date as well")
    .option(
      "--dry-run",
      "show what would run and why, what has to be fetched and what it may take; run nothing",
    )
    .option("--json", "with --dry-run: for machines")
    .option("--jobs <n>", "notebooks that may run at the same time", positiveInteger, 1)
    .action(async (options: Parameters<typeof projectOptions>[0] & ReproduceFlags) => {
      const { hasClaims, openProject, plan, readClaims } = await import("../../pipeline/index.js");
      const project = await openProject(projectOptions(options));
      const planned = await plan(project, options);
      if (options.dryRun) {
        await printForecast(project, planned, options);
        return;
      }
      if (planned.some(({ action }) => action !== "skip")) checkBackend(project.given["backend"]);
      const results = await runAndShow(project, planned, options);
      const { buildSite } = await import("../../site/index.js");
      const index = buildSite(project.outputs);
      console.log(summary(results));
      if (hasClaims(project.outputs)) console.log(`\n${claimsText(readClaims(project.outputs).claims)}`);
      for (const [name, result] of results) {
        if (result.result === "failed" && !result.interrupted) console.error(describeFailure(name, result));
      }
      console.log(`\nRead ${here(index)} in a browser; figures, tables and notebooks lie beside it.`);
      const failed = [...results.values()].filter(
        ({ result }) => result === "failed" || result === "not run",
      );
      if (failed.some((result) => result.result === "failed" && result.interrupted)) process.exitCode = 130;
      else if (failed.length > 0) process.exitCode = 1;
    });
}

async function runAndShow(
  project: Project,
  planned: Parameters<typeof openProgress>[0],
  options: ReproduceFlags,
): Promise<ReadonlyMap<string, NotebookResult>> {
  const { reproduce } = await import("../../pipeline/index.js");
  const abort = new AbortController();
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(130); // the second Ctrl-C does not wait
    abort.abort();
  };
  // Not once(): the runner looks whether somebody still listens, and ends everything at once if nobody does.
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  const progress = planned.some(({ action }) => action !== "skip") ? openProgress(planned) : undefined;
  try {
    return await reproduce(project, {
      ...options,
      signal: abort.signal,
      onEvent: (event) => progress?.report(event),
    });
  } finally {
    progress?.stop();
    process.removeListener("SIGINT", interrupt).removeListener("SIGTERM", interrupt);
  }
}

function summary(results: ReadonlyMap<string, NotebookResult>): string {
  const list = [...results];
  if (list.every(([, { result }]) => result === "up to date")) {
    return `\nNothing to do: ${list.length === 1 ? "the notebook is" : `all ${list.length} notebooks are`} up to date.`;
  }
  const rows = list.map(([name, result]) => {
    switch (result.result) {
      case "ran":
        return [name, "ran", duration(result.seconds * 1000), `${result.cells} cells`];
      case "failed":
        return [name, "FAILED", duration(result.seconds * 1000), result.message];
      case "not run":
        return [name, "not run", "", result.because];
      case "up to date":
        return [name, "up to date", "", ""];
    }
  });
  return `\n${columns(rows)}`;
}

function describeFailure(
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
