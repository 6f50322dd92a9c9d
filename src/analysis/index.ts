export { compareNeurons, type NeuronChange } from "./neurons.js";
export {
  compareParameters,
  PARAMETER_KINDS,
  type ParameterChange,
  type ParameterKind,
} from "./parameters.js";
export { randomWalk } from "./random-walk.js";
export { summariseChanges, vectorName, type ChangeSummary } from "./summary.js";
export type { VectorChange } from "./vector-change.js";
export type { ModelPair } from "./model-pair.js";
export { activationLevel, activationsOf, highThreshold } from "./neuron-activation.js";
export { shiftPlane, type ResidualPair, type ShiftPlane } from "./shift-plane.js";
export {
  componentShares,
  meanShift,
  otherLayers,
  shiftMeans,
  sublayersToDraw,
  valueVectorShifts,
} from "./value-vector-shift.js";
export type { ComponentShare, ShiftMeans, ValueVectorShift } from "./value-vector-shift.js";
