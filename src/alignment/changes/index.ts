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
export type { ModelPair } from "./model-pair";
export { activationLevel, activationsOf, highThreshold, type ActivationLevel } from "./residual-shift";
export { shiftPlane, type ResidualPair, type ShiftPlane, type ShiftPoint } from "./shift-plane";
export {
  componentShares,
  meanShift,
  otherLayers,
  shiftMeans,
  sublayersToDraw,
  valueVectorShifts,
} from "./value-vector-shift";
export type { ComponentShare, ShiftMeans, ValueVectorShift } from "./value-vector-shift";
