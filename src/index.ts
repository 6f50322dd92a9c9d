/*
 * What a notebook imports: `import { … } from "alignscope"`. Each name is documented where it is defined.
 */

// A study: backend, model, tokenizer, artifacts and the run's folder in one call, and the texts it works on.
export {
  openPairMaker,
  openStudy,
  readComments,
  readPassages,
  readPerplexityText,
  readPrompts,
} from "./study";
export type { PairMaker, PairParameters, Study, StudyOptions, Workshop } from "./study";

// Data and artifacts.
export { datasets, locate, models, openArtifacts, readCsv, readJsonl, UserError } from "./data";
export type { Artifacts } from "./data";

// Backends.
export { describeBackend, openBackend } from "./tensors";
export type { BackendDescription } from "./tensors";

// Linear algebra in float64.
export { pca, svd } from "./tensors/linalg";

// The model: passes with hooks, what they keep, gradients, generation.
export { generate, GPT2, gradientsOf, hookName, hookPoints, KeyValueCache, Tokenizer } from "./model";
export type {
  ActivationCache,
  CacheOptions,
  ForwardOptions,
  GenerateOptions,
  GPT2Config,
  GradientOptions,
  Gradients,
  Hook,
  HookContext,
  HookNames,
  Hooks,
  Padding,
  Positions,
  SamplingOptions,
} from "./model";

// Its two numeric worlds, and the residual stream read as tokens.
export { accumulatedResidual, directLogitAttribution, logitLens, residualRows } from "./model";
export { PROTOCOLS, withProtocol } from "./model";
export type { Attribution, LogitLens, Normalisation, Processing, Protocol, ProtocolName } from "./model";

// Toxicity: probe, value vectors, vocabulary space, interventions.
export { lastActivations } from "./toxicity/activations";
export { decomposeMlps, decomposeResidual } from "./toxicity/decomposition";
export type { Decomposition, MlpDecomposition, SubUpdate } from "./toxicity/decomposition";
export { meanResiduals } from "./toxicity/features";
export { effectPerDisturbance, keyDisturbance, keyEffects, rankKeys } from "./toxicity/key-effects";
export type { ChangedContinuation, ScoredKey } from "./toxicity/key-effects";
export { randomDirections, scaleForPerplexity, subtractDirection } from "./toxicity/interventions";
export { likeliestNextTokens } from "./toxicity/next-tokens";
export { fitProbe, trainProbe } from "./toxicity/probe";
export type { LabelledText, Probe } from "./toxicity/probe";
export { measurePromotion } from "./toxicity/promotion";
export type { Promotion } from "./toxicity/promotion";
export { randomNeurons } from "./toxicity/random";
export { silencedPromotion } from "./toxicity/silenced";
export { svdBasis } from "./toxicity/svd-basis";
export type { SvdBasis } from "./toxicity/svd-basis";
export { unalign } from "./toxicity/unalign";
export { allCosines, nameOf, rankValueVectors, readValueVectors } from "./toxicity/value-vectors";
export type { Neuron, RankedValueVector } from "./toxicity/value-vectors";
export { cosine, dot, mean, norm, pearson, spearman, unit } from "./toxicity/vectors";
export { jaccard, largest, projectToVocabulary, topTokens } from "./toxicity/vocabulary";
export type { ScoredToken } from "./toxicity/vocabulary";
export { keptCalibration, openScorer, scorerAgreement, scorers } from "./toxicity/scorers";
export type { AttributeScorer, Scorer } from "./toxicity/scorers";

// Alignment: PPLM, preference pairs, DPO, and what it changed.
export {
  compareNeurons,
  compareParameters,
  PARAMETER_KINDS,
  randomWalk,
  summariseChanges,
  vectorName,
} from "./alignment/changes";
export type {
  ChangeSummary,
  NeuronChange,
  ParameterChange,
  ParameterKind,
  VectorChange,
} from "./alignment/changes";
export { DPO_SETTINGS, loadPolicy, readLog, trainDpo } from "./alignment/dpo";
export type {
  DpoMetrics,
  DpoOptions,
  DpoProgress,
  DpoRecord,
  DpoResult,
  DpoSettings,
  DpoSettingsName,
  Trainable,
} from "./alignment/dpo";
export {
  describePairs,
  greedyContinuations,
  makePairs,
  mergePairs,
  perturbedContinuations,
  readPairs,
  readPrompts as readPairPrompts,
  tokenisePairs,
  writePairs,
} from "./alignment/pairs";
export type { PairRecipe, PairRow, PairsSummary, ReadPair } from "./alignment/pairs";
export type { PreferencePair, TokenPair } from "./alignment/preference-pair";
export { attributeOfProbe, generatePerturbed, PPLM_DEFAULTS, readAttributeHead } from "./alignment/pplm";
export type { AttributeModel, PPLMOptions } from "./alignment/pplm";

// What alignment changed: activations, residual streams, value vectors.
export {
  activationLevel,
  activationsOf,
  componentShares,
  highThreshold,
  lastResiduals,
  meanActivations,
  meanShift,
  otherLayers,
  projectShift,
  residualShift,
  shiftMeans,
  shiftPlane,
  sublayersToDraw,
  valueVectorShifts,
} from "./alignment/changes";
export type {
  ActivationChange,
  ComponentShare,
  ModelPair,
  ResidualPair,
  ResidualShift,
  ShiftMeans,
  ShiftPlane,
  ValueVectorShift,
} from "./alignment/changes";

// Metrics.
export { bootstrapMean } from "./metrics/bootstrap";
export type { MeanWithInterval } from "./metrics/bootstrap";
export { continuationF1, tokenF1 } from "./metrics/f1";
export type { ContinuationF1, PromptWithGold } from "./metrics/f1";
export { generateContinuations } from "./metrics/generation";
export type { Continuation } from "./metrics/generation";
export { histogram } from "./metrics/histogram";
export { layerHistograms } from "./metrics/layer-histograms";
export { lensBand, lensSteps } from "./metrics/lens-band";
export type { LensPoint, LensStep } from "./metrics/lens-band";
export { matchScales } from "./metrics/matched-scales";
export type { Direction, MatchedDirection } from "./metrics/matched-scales";
export { perplexitiesUnderShifts, perplexity } from "./metrics/perplexity";
export { scoreTexts, toxicityOfContinuations } from "./metrics/toxicity";
export type { ContinuationToxicity } from "./metrics/toxicity";
export { measureUnaligned, restoredShare } from "./metrics/unaligned";
export type { ScaledKeys } from "./metrics/unaligned";

// Presentation.
export {
  besidePaper,
  besideSettings,
  display,
  figure,
  fixed,
  formatNumber,
  frame,
  isOffensive,
  lookEncoding,
  mask,
  palette,
  paperColumns,
  paperTable,
  paperValue,
  percent,
  print,
  progress,
  show,
  signed,
  significant,
  table,
} from "./present";
export type { Figure, Row, Table } from "./present";
export { activationBars, cosinePanels, pairedShift, shiftPlaneFigure } from "./present/figures";
