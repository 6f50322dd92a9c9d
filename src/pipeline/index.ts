/** The series of notebooks: which needs which, what is up to date, running the rest, and where results come from. */
export { hasClaims, readClaims } from "./claims.js";
export { declaredParameters } from "./declared-parameters.js";
export { type NotebookResult } from "./failure.js";
export { type Forecast, forecast } from "./forecast.js";
export { type GraphNotebook, loadGraph, makerOf } from "./graph.js";
export { type Manifest } from "./manifest.js";
export { DATA_PARAMETERS, neededData } from "./needs.js";
export { parametersOf, plan, type PlannedNotebook, type PlanOptions } from "./plan.js";
export { loadProfile, profileNames } from "./profile.js";
export { openProject, type Project, type ProjectOptions } from "./project.js";
export { type PipelineEvent, reproduce, type ReproduceOptions, runNotebook } from "./reproduce.js";
export { hostMemory, PROCESSES_BYTES, roomOn, shortage } from "./room.js";
export { readState } from "./state.js";
export { verify } from "./verify.js";
export { type Agreement, agreementWithCommitted } from "./compare/agreement.js";
export { compareRuns, type RunDifference } from "./compare/index.js";
export { snakefile } from "./snakemake.js";
