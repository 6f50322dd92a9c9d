export { compareNeurons, type NeuronChange } from "./neurons";
export {
  compareParameters,
  PARAMETER_KINDS,
  type CompareOptions,
  type ParameterChange,
  type ParameterKind,
  type VectorsChange,
} from "./parameters";
export { summariseChanges, vectorName, type ChangeSummary } from "./summary";
export type { Along, Readings, VectorChange } from "./vector-change";
