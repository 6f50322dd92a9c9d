import type { Command } from "commander";
import type { Forecast, PlannedNotebook, Project } from "../../pipeline";
import { describeForecast } from "../forecast-text";
import { addProjectOptions, collectWords, projectOptions } from "../project-options";

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
    .action(async (options: Parameters<typeof projectOptions>[0] & PlanFlags) => {
      const { openProject, plan } = await import("../../pipeline/index.js");
      const project = await openProject(projectOptions(options));
      await printForecast(project, await plan(project, options), options);
    });
}

interface PlanFlags {
  only?: string[];
  from?: string[];
  force?: boolean;
  json?: boolean;
}

/** Prints what a planned run would do, read and take, as text or as JSON. */
export async function printForecast(
  project: Project,
  planned: readonly PlannedNotebook[],
  { json }: { json?: boolean },
): Promise<void> {
  const { forecast } = await import("../../pipeline/index.js");
  const { scorers } = await import("../../toxicity/scorers/index.js");
  const names = new Map(scorers.map(({ name, files }) => [name, files]));
  const seen: Forecast = forecast(project, planned, { scorers: names });
  console.log(json ? JSON.stringify(seen, null, 2) : describeForecast(seen));
}
