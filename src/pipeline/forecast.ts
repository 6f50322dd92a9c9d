import type { Json } from "jupyter-wire";
import { expected, type Expected } from "./expected.js";
import { neededData, type NeededData, type ScorerFiles } from "./needs.js";
import type { PlannedNotebook } from "./plan.js";
import type { ParameterSource } from "./parameters.js";
import type { Profile } from "./profile.js";
import type { Project } from "./project.js";

/** A parameter with its value, where that came from, and the notebooks that read it. */
export interface PlannedParameter {
  name: string;
  /** null where the notebook computes it. */
  value: Json;
  source: ParameterSource;
  notebooks: string[];
}

/** Everything that can be said of a run before it begins. */
export interface Forecast {
  profile: { name: string; description: string; machine: string };
  notebooks: (Omit<PlannedNotebook, "notebook" | "parameters"> & { notebook: string })[];
  parameters: PlannedParameter[];
  data: NeededData[];
  /** Bytes of what is not on this machine, where known; `unknown` names what nobody has said the size of. */
  missing: { bytes: number; unknown: string[] };
  /** null where nothing has run here and the profile states nothing. */
  estimate: Estimate | null;
}

/** What a run may take, from earlier runs and from what the profile states. */
export interface Estimate {
  notebooks: (Expected & {
    notebook: string;
    /** Whether the total counts it: it will or may run. */
    counted: boolean;
  })[];
  /** Seconds of the notebooks that will or may run, but for those of which nobody knows. */
  totalSeconds: number;
  /** Notebooks that nobody knows the time of. */
  unknown: string[];
  /** As the profile states them: what a whole run took where it was measured; tensors at the fullest moment. */
  time: Profile["time"] | null;
  memory: Profile["memory"] | null;
}

/**
 * What a planned run would read, fetch and take. Asks nobody over the network and reads no data.
 *
 * @param options.scorers what the names of scorers stand for
 */
export function forecast(
  project: Project,
  planned: readonly PlannedNotebook[],
  { scorers }: { scorers?: ReadonlyMap<string, ScorerFiles> } = {},
): Forecast {
  const { name, description, machine } = project.profile;
  const data = neededData(
    planned.map(({ parameters }) => parameters),
    scorers,
  );
  const absent = data.filter(({ here, where }) => !here && where !== "service");
  return {
    profile: { name, description, machine },
    notebooks: planned.map(({ notebook, action, reasons, lastSeconds }) => ({
      ...{ notebook: notebook.name, action, reasons, lastSeconds },
    })),
    parameters: plannedParameters(planned),
    data,
    missing: {
      bytes: absent.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      unknown: absent.filter(({ bytes }) => bytes === null).map((one) => one.name),
    },
    estimate: estimate(project, planned),
  };
}

function estimate(project: Project, planned: readonly PlannedNotebook[]): Estimate | null {
  const { time = null, memory = null } = project.profile;
  const notebooks = planned.map(({ notebook, action, lastSeconds }) => ({
    notebook: notebook.name,
    ...expected(project, notebook, lastSeconds),
    counted: action !== "skip",
  }));
  if (!memory && notebooks.every(({ seconds }) => seconds === null)) return null;
  return {
    notebooks,
    totalSeconds: notebooks.reduce((sum, { seconds, counted }) => sum + (counted ? (seconds ?? 0) : 0), 0),
    unknown: notebooks.filter(({ seconds }) => seconds === null).map(({ notebook }) => notebook),
    time,
    memory,
  };
}

/** Each parameter once; twice where notebooks have it from different places or with different defaults. */
function plannedParameters(planned: readonly PlannedNotebook[]): PlannedParameter[] {
  const list: PlannedParameter[] = [];
  for (const { notebook, parameters } of planned) {
    for (const [name, { value = null, source }] of Object.entries(parameters)) {
      const same = list.find(
        (one) =>
          one.name === name && one.source === source && JSON.stringify(one.value) === JSON.stringify(value),
      );
      if (same) same.notebooks.push(notebook.name);
      else list.push({ name, value, source, notebooks: [notebook.name] });
    }
  }
  return list;
}
