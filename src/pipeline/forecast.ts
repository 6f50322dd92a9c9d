import type { Json } from "jupyter-wire";
import { estimate, type Estimate } from "./estimate/index.js";
import { neededData, type NeededData, type ScorerFiles } from "./needs.js";
import type { PlannedNotebook } from "./plan.js";
import type { ParameterSource } from "./parameters.js";
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
  /** null where the notebooks name no model, or one of unknown shape. */
  estimate: Estimate | null;
}

/**
 * What a planned run would read, fetch and take. Asks nobody over the network and reads no data.
 *
 * @param options.scorers what the names of scorers stand for
 */
export function forecast(
  { profile }: Project,
  planned: readonly PlannedNotebook[],
  { scorers }: { scorers?: ReadonlyMap<string, ScorerFiles> } = {},
): Forecast {
  const { name, description, machine } = profile;
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
    estimate:
      estimate(
        planned.map(({ notebook, parameters, action }) => ({
          notebook: notebook.name,
          parameters,
          counted: action !== "skip",
        })),
      ) ?? null,
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
