/** The series of notebooks: which needs which, what is up to date, running the rest, and where results come from. */
export { hasClaims, readClaims, type RunClaims } from "./claims";
export { declaredParameters } from "./declared-parameters";
export { explain, type Failure, type FailureReason } from "./failure";
export { type Estimate, type Forecast, forecast } from "./forecast";
export { type Graph, type GraphNotebook, loadGraph, makerOf } from "./graph";
export { type Manifest, type ManifestNotebook, readManifest } from "./manifest";
export { DATA_PARAMETERS, type NeededData, neededData } from "./needs";
export { parametersOf, plan, type PlannedNotebook, type PlanOptions } from "./plan";
export { loadProfile, type Profile, profileNames } from "./profile";
export { openProject, type Project, type ProjectOptions } from "./project";
export {
  type NotebookResult,
  type PipelineEvent,
  reproduce,
  type ReproduceOptions,
  runNotebook,
} from "./reproduce";
export { hostMemory, PROCESSES_BYTES, roomOn, shortage } from "./room";
export { readState } from "./state";
export { type Finding, verify, type Verification } from "./verify";
export { type Agreement, agreementWithCommitted } from "./compare/agreement";
export { compareRuns, type CompareOptions, DEFAULT_ATOL, DEFAULT_RTOL, type RunDifference } from "./compare";
export { snakefile, type SnakemakeOptions } from "./snakemake";
