export { compareNeurons, type NeuronChange } from "./neurons.js";
export {
  compareParameters,
  PARAMETER_KINDS,
  type CompareOptions,
  type ParameterChange,
  type ParameterKind,
  type VectorsChange,
} from "./parameters.js";
export { randomWalk, type RmsPropRun } from "./random-walk.js";
export { summariseChanges, vectorName, type ChangeSummary } from "./summary.js";
export type { Along, Readings, VectorChange } from "./vector-change.js";
export type { ModelPair } from "./model-pair.js";
export { activationLevel, activationsOf, highThreshold, type ActivationLevel } from "./residual-shift.js";
export { shiftPlane, type ResidualPair, type ShiftPlane, type ShiftPoint } from "./shift-plane.js";
export {
  componentShares,
  meanShift,
  otherLayers,
  shiftMeans,
  sublayersToDraw,
  valueVectorShifts,
} from "./value-vector-shift.js";
export type { ComponentShare, ShiftMeans, ValueVectorShift } from "./value-vector-shift.js";
