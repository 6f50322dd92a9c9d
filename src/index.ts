/*
 * What a notebook imports: `import { … } from "alignscope"`. Each name is documented where it is defined.
 */

// A study: backend, model, tokenizer, artifacts and the run's folder in one call, and the texts it works on.
export {
  openEvaluation,
  openStudy,
  readComments,
  readPassages,
  readPerplexityText,
  readPrompts,
} from "./study";
export { continuationExamples, examplePrompts } from "./study";
export type { ContinuationExample, SpeakingSystem, Study, StudyOptions, Workshop } from "./study";

// Data and artifacts.
export { datasets, locate, models, openArtifacts, readCsv, readJsonl, UserError } from "./data";
export type { Artifacts } from "./data";

// TensorFlow.js, the very copy that the model computes with, and its backends.
export * as tf from "@tensorflow/tfjs-core";
export { describeBackend, openBackend } from "./tensors";
export type { BackendDescription } from "./tensors";

// Linear algebra in float64.
export { pca, svd } from "./tensors/linalg";

// The model: passes with hooks, what they keep, gradients, generation.
export {
  activationRows,
  generate,
  GPT2,
  gradientsOf,
  hookName,
  hookPoints,
  KeyValueCache,
  Tokenizer,
} from "./model";
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
export { effectPerDisturbance, keyDisturbance, keyEffects, rankKeys } from "./toxicity/key-effects";
export type { ChangedContinuation, ScoredKey } from "./toxicity/key-effects";
export { randomDirections, scaleForPerplexity, subtractDirection } from "./toxicity/interventions";
export { geluNew, readMlp } from "./toxicity/mlp";
export type { MlpVectors } from "./toxicity/mlp";
export { likeliestNextTokens } from "./toxicity/next-tokens";
export { fitProbe } from "./toxicity/probe";
export type { LabelledText, Probe } from "./toxicity/probe";
export { promotionOf } from "./toxicity/promotion";
export type { Promotion } from "./toxicity/promotion";
export { randomNeurons } from "./toxicity/random";
export { silencedPromotion } from "./toxicity/silenced";
export { unalign } from "./toxicity/unalign";
export { allCosines, nameOf, rankValueVectors, readValueVectors } from "./toxicity/value-vectors";
export type { Neuron, RankedValueVector } from "./toxicity/value-vectors";
export { cosine, dot, mean, median, norm, pearson, signedTowards, spearman, unit } from "./toxicity/vectors";
export { jaccard, largest, projectToVocabulary } from "./toxicity/vocabulary";
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
export type { PairRow, PairsSummary, ReadPair } from "./alignment/pairs";
export type { PreferencePair, TokenPair } from "./alignment/preference-pair";
export {
  attributeOfProbe,
  generatePerturbed,
  perturbPast,
  PPLM_DEFAULTS,
  readAttributeHead,
} from "./alignment/pplm";
export type { AttributeModel, PPLMOptions } from "./alignment/pplm";

// What alignment changed: activations, residual streams, value vectors.
export {
  activationLevel,
  activationsOf,
  componentShares,
  highThreshold,
  otherLayers,
  shiftMeans,
  shiftPlane,
  sublayersToDraw,
  valueVectorShifts,
} from "./alignment/changes";
export type {
  ComponentShare,
  ModelPair,
  ResidualPair,
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
export { matchScales } from "./metrics/matched-scales";
export type { Direction, MatchedDirection } from "./metrics/matched-scales";
export { perplexity } from "./metrics/perplexity";
export { changeOf, meanOfSystems, measureSystem, measureToxicity } from "./metrics/system";
export type { Evaluation, SystemMeasures, SystemResult } from "./metrics/system";
export { scoreTexts, toxicityOfContinuations } from "./metrics/toxicity";
export type { ContinuationToxicity } from "./metrics/toxicity";

// Presentation.
export {
  display,
  figure,
  fixed,
  formatNumber,
  frame,
  isOffensive,
  lookEncoding,
  mask,
  palette,
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
export {
  activationBarsFigure,
  cosineHistogramFigure,
  cosinePanelsFigure,
  dpoCurvesFigure,
  logitLensFigure,
  pairedShiftFigure,
  pairsLengthFigure,
  pairsToxicityFigure,
  parametersByLayerFigure,
  parametersToxicFigure,
  probeSeparationFigure,
  projectionByLayerFigure,
  projectionScatterFigure,
  shiftComponentsFigure,
  shiftContributionsFigure,
  shiftPlaneFigure,
  subUpdateSizesFigure,
  svdSpectrumFigure,
  toxicityPerplexityFigure,
  unalignPriceFigure,
  unalignSweepFigure,
  unalignWritingFigure,
  valueVectorSharesFigure,
} from "./present/figures";
export type { TradePoint } from "./present/figures";
export {
  activationLevelsTable,
  choicesTable,
  continuationExamplesTable,
  decompositionTable,
  dpoSettingsTable,
  dpoTrainingTable,
  leaderActivationsTable,
  lensStepsTable,
  mlpShiftsTable,
  pairsExamplesTable,
  pairsNeedsTable,
  pairsScorersTable,
  pairsSummaryTable,
  parametersByKindTable,
  parametersMostTurnedTable,
  parametersReadingsTable,
  parametersTokensTable,
  parametersToxicTable,
  pplmSettingsTable,
  probePenaltyTable,
  probeTable,
  promotedTokensTable,
  promotionTable,
  shiftConstancyTable,
  svdStabilityTable,
  systemsTable,
  unalignExamplesTable,
  unalignKeysTable,
  valueVectorRankingTable,
  vocabularyTable,
} from "./present/tables";
