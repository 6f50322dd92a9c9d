import type { Command } from "commander";
import type { PlannedNotebook } from "../../pipeline";
import { duration } from "../../present/format";
import { columns } from "../columns";
import { addProjectOptions, collectWords, projectOptions } from "../project-options";

const ACTIONS = { run: "will run", maybe: "may run", skip: "skipped" } as const;

/** `alignscope plan`: what reproduce would do, and why. */
export function planCommand(program: Command): void {
  addProjectOptions(
    program.command("plan").description("show which notebooks reproduce would run, in which order, and why"),
  )
    .option("--only <names>", "only these notebooks; beginnings of names will do: 3.3", collectWords)
    .option("--force", "as if nothing were up to date")
    .option("--json", "for machines")
    .action(async (options: Parameters<typeof projectOptions>[0] & PlanFlags) => {
      const { openProject, plan } = await import("../../pipeline/index.js");
      const planned = await plan(await openProject(projectOptions(options)), options);
      if (options.json) {
        const list = planned.map(({ notebook, ...rest }) => ({ notebook: notebook.name, ...rest }));
        console.log(JSON.stringify(list, null, 2));
      } else {
        console.log(describePlan(planned));
      }
    });
}

interface PlanFlags {
  only?: string[];
  force?: boolean;
  json?: boolean;
}

/** The plan as a table. */
export function describePlan(planned: readonly PlannedNotebook[]): string {
  return columns(
    planned.map(({ notebook, action, reasons, lastSeconds }) => [
      notebook.name,
      ACTIONS[action],
      lastSeconds === undefined ? "" : `took ${duration(lastSeconds * 1000)}`,
      reasons.join("; "),
    ]),
  );
}
