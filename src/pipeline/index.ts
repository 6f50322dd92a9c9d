/** The series of notebooks: which needs which, what is up to date, running the rest, and where results come from. */
export { hasClaims, readClaims, type RunClaims } from "./claims.js";
export { declaredParameters } from "./declared-parameters.js";
export { explain, type Failure, type FailureReason, type NotebookResult } from "./failure.js";
export { type Estimate, type Forecast, forecast } from "./forecast.js";
export { type Graph, type GraphNotebook, loadGraph, makerOf } from "./graph.js";
export { type Manifest, type ManifestNotebook, readManifest } from "./manifest.js";
export { DATA_PARAMETERS, type NeededData, neededData } from "./needs.js";
export { parametersOf, plan, type PlannedNotebook, type PlanOptions } from "./plan.js";
export { loadProfile, type Profile, profileNames } from "./profile.js";
export { openProject, type Project, type ProjectOptions } from "./project.js";
export { type PipelineEvent, reproduce, type ReproduceOptions, runNotebook } from "./reproduce.js";
export { hostMemory, PROCESSES_BYTES, roomOn, shortage } from "./room.js";
export { readState } from "./state.js";
export { type Finding, verify, type Verification } from "./verify.js";
export { type Agreement, agreementWithCommitted } from "./compare/agreement.js";
export {
  compareRuns,
  type CompareOptions,
  DEFAULT_ATOL,
  DEFAULT_RTOL,
  type RunDifference,
} from "./compare/index.js";
export { snakefile, type SnakemakeOptions } from "./snakemake.js";
