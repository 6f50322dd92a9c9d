export { compareNeurons, type NeuronChange } from "./neurons";
export {
  compareParameters,
  PARAMETER_KINDS,
  type CompareOptions,
  type ParameterChange,
  type ParameterKind,
  type VectorsChange,
} from "./parameters";
export { randomWalk, type RmsPropRun } from "./random-walk";
export { summariseChanges, vectorName, type ChangeSummary } from "./summary";
export type { Along, Readings, VectorChange } from "./vector-change";
