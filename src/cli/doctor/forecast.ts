import type { Forecast } from "../../pipeline/index.js";

/** What a whole run of a profile needs, as `alignscope plan --force` has it. */
export async function profileForecast(profile: string): Promise<Forecast> {
  const { forecast, openProject, plan } = await import("../../pipeline/index.js");
  const { scorers } = await import("../../scorers/index.js");
  const project = await openProject({ profile });
  const files = new Map(scorers.map(({ name, files }) => [name, files]));
  return forecast(project, await plan(project, { force: true }), { scorers: files });
}

/** The data that a run cannot do without: scorers that are only compared are left out where they are not here. */
export function required({ data }: Forecast): Forecast["data"] {
  return data.filter(({ parameters }) => parameters.some((name) => name !== "otherScorers"));
}
