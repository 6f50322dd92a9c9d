import { type Command, InvalidArgumentError, Option } from "commander";
import { writeFileAtomic } from "@alignscope/base/files";
import type { Forecast, PlannedNotebook, Project } from "../../pipeline/index.js";
import { describeForecast } from "../forecast-text.js";
import { addProjectOptions, collectWords, positiveInteger, projectOptions } from "../project-options.js";

/** `alignscope plan`: what reproduce would do and why, with which values, on what data, for how long. */
export function planCommand(program: Command): void {
  addProjectOptions(
    program
      .command("plan")
      .description(
        "show which notebooks reproduce would run and why, what has to be fetched, and what it may take",
      ),
  )
    .option("--only <names>", "only these notebooks; beginnings of names will do: 3.3", collectWords)
    .option("--from <names>", "these notebooks and every one that depends on them", collectWords)
    .option("--force", "as if nothing were up to date")
    .option("--json", "for machines")
    .addOption(
      new Option("--export <engine>", "write the series as a workflow instead").choices(["snakemake"]),
    )
    .option("--out <file>", "with --export: where to (default: standard output)")
    .option("--shards <n>", "with --export: make preference pairs in so many jobs", positiveInteger, 1)
    .option(
      "--sweep <name=a,b,c>",
      "with --export: a run for every value of a parameter (repeatable)",
      collectSweep,
    )
    .action(async (options: Parameters<typeof projectOptions>[0] & PlanFlags) => {
      const { openProject, plan, snakefile } = await import("../../pipeline/index.js");
      const given = projectOptions(options);
      const project = await openProject(given);
      if (options.export !== undefined) {
        const text = snakefile(project, {
          project: given,
          shards: options.shards,
          ...(options.sweep ? { sweep: options.sweep } : {}),
        });
        if (options.out === undefined) process.stdout.write(text);
        else writeFileAtomic(options.out, text);
        return;
      }
      await printForecast(project, await plan(project, options), options);
    });
}

interface PlanFlags {
  only?: string[];
  from?: string[];
  force?: boolean;
  json?: boolean;
  export?: string;
  out?: string;
  shards: number;
  sweep?: Record<string, string[]>;
}

function collectSweep(text: string, before: Record<string, string[]> = {}): Record<string, string[]> {
  const [, name, values] = /^(\w+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || values === undefined) {
    throw new InvalidArgumentError("expected NAME=VALUE,VALUE");
  }
  return { ...before, [name]: values.split(",") };
}

/** Prints what a planned run would do, read and take, as text or as JSON. */
export async function printForecast(
  project: Project,
  planned: readonly PlannedNotebook[],
  { json }: { json?: boolean },
): Promise<void> {
  const { forecast } = await import("../../pipeline/index.js");
  const { scorers } = await import("../../scorers/index.js");
  const names = new Map(scorers.map(({ name, files }) => [name, files]));
  const seen: Forecast = forecast(project, planned, { scorers: names });
  console.log(json ? JSON.stringify(seen, null, 2) : describeForecast(seen));
}
