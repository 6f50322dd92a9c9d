/*
 * What a notebook imports: `import { … } from "alignscope"`. Each name is documented where it is defined.
 */

// A study: backend, model, tokenizer, artifacts and the run's folder in one call, and the texts it works on.
export {
  openEvaluation,
  openPairMaker,
  openStudy,
  readComments,
  readPassages,
  readPerplexityText,
  readPrompts,
} from "./study/index.js";
export { continuationExamples, examplePrompts } from "./study/index.js";
export type {
  ContinuationExample,
  PairMaker,
  PairParameters,
  SpeakingSystem,
  Study,
  StudyOptions,
  WorkFolder,
} from "./study/index.js";

// Data and artifacts.
export { datasets, locate, models, openArtifacts, readCsv, readJsonl, UserError } from "./data/index.js";
export type { Artifacts } from "./data/index.js";

// TensorFlow.js, the very copy that the model computes with, and its backends.
export * as tf from "@tensorflow/tfjs-core";
export { describeBackend, openBackend } from "@alignscope/tensors";
export type { BackendDescription } from "@alignscope/tensors";

// Linear algebra in float64.
export { pca, svd } from "@alignscope/tensors/linalg";

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
} from "./model/index.js";
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
} from "./model/index.js";

// Its two numeric worlds, and the residual stream read as tokens.
export { accumulatedResidual, directLogitAttribution, logitLens, residualRows } from "./model/index.js";
export { PROTOCOLS, withProtocol } from "./model/index.js";
export type {
  Attribution,
  LogitLens,
  Normalisation,
  Processing,
  Protocol,
  ProtocolName,
} from "./model/index.js";

// Toxicity: probe, value vectors, vocabulary space, interventions.
export { lastActivations } from "./toxicity/activations.js";
export { effectPerDisturbance, keyDisturbance, keyEffects, rankKeys } from "./toxicity/key-effects.js";
export type { ChangedContinuation, ScoredKey } from "./toxicity/key-effects.js";
export { randomDirections, scaleForPerplexity, subtractDirection } from "./toxicity/interventions.js";
export { geluNew, readMlp } from "./toxicity/mlp.js";
export type { MlpVectors } from "./toxicity/mlp.js";
export { likeliestNextTokens } from "./toxicity/next-tokens.js";
export { fitProbe } from "./toxicity/probe.js";
export type { LabelledText, Probe } from "./toxicity/probe.js";
export { promotionOf } from "./toxicity/promotion.js";
export type { Promotion } from "./toxicity/promotion.js";
export { randomNeurons } from "./toxicity/random.js";
export { silencedPromotion } from "./toxicity/silenced.js";
export { unalign } from "./toxicity/unalign.js";
export { allCosines, nameOf, rankValueVectors, readValueVectors } from "./toxicity/value-vectors.js";
export type { Neuron, RankedValueVector } from "./toxicity/value-vectors.js";
export {
  cosine,
  dot,
  mean,
  median,
  norm,
  pearson,
  signedTowards,
  spearman,
  unit,
} from "@alignscope/tensors/vectors";
export { jaccard, largest, projectToVocabulary } from "./toxicity/vocabulary.js";
export { keptCalibration, openScorer, scorerAgreement, scorers } from "./scorers/index.js";
export type { AttributeScorer, Scorer } from "./scorers/index.js";

// Alignment: PPLM, preference pairs, DPO, and what it changed.
export {
  compareNeurons,
  compareParameters,
  PARAMETER_KINDS,
  randomWalk,
  summariseChanges,
  vectorName,
} from "./analysis/index.js";
export type {
  ChangeSummary,
  NeuronChange,
  ParameterChange,
  ParameterKind,
  VectorChange,
} from "./analysis/index.js";
export { DPO_SETTINGS, loadPolicy, readLog, trainDpo } from "./alignment/dpo/index.js";
export type {
  DpoMetrics,
  DpoOptions,
  DpoProgress,
  DpoRecord,
  DpoResult,
  DpoSettings,
  DpoSettingsName,
  Trainable,
} from "./alignment/dpo/index.js";
export {
  describePairs,
  greedyContinuations,
  makePairs,
  perturbedContinuations,
  readPairs,
  readPairPrompts,
  tokenisePairs,
  writePairs,
} from "./alignment/pairs/index.js";
export type { PairRecipe, PairRow, PairsSummary, ReadPair } from "./alignment/pairs/index.js";
export type { PreferencePair, TokenPair } from "./alignment/preference-pair.js";
export {
  attributeOfProbe,
  generatePerturbed,
  perturbPast,
  PPLM_DEFAULTS,
  readAttributeHead,
} from "./alignment/pplm/index.js";
export type { AttributeModel, PPLMOptions } from "./alignment/pplm/index.js";

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
} from "./analysis/index.js";
export type {
  ComponentShare,
  ModelPair,
  ResidualPair,
  ShiftMeans,
  ShiftPlane,
  ValueVectorShift,
} from "./analysis/index.js";

// Metrics.
export { bootstrapMean } from "./metrics/bootstrap.js";
export type { MeanWithInterval } from "./metrics/bootstrap.js";
export { continuationF1, tokenF1 } from "./metrics/f1.js";
export type { ContinuationF1, PromptWithGold } from "./metrics/f1.js";
export { generateContinuations } from "./metrics/generation.js";
export type { Continuation } from "./metrics/generation.js";
export { histogram } from "./metrics/histogram.js";
export { layerHistograms } from "./metrics/layer-histograms.js";
export { matchScales } from "./metrics/matched-scales.js";
export type { Direction, MatchedDirection } from "./metrics/matched-scales.js";
export { perplexity } from "./metrics/perplexity.js";
export { changeOf, meanOfSystems, measureSystem, measureToxicity } from "./metrics/system.js";
export type { Evaluation, SystemMeasures, SystemResult } from "./metrics/system.js";
export { scoreTexts, toxicityOfContinuations } from "./metrics/toxicity.js";
export type { ContinuationToxicity } from "./metrics/toxicity.js";

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
} from "./present/index.js";
export type { Figure, Row, Table } from "./present/index.js";
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
} from "./present/figures/index.js";
export type { TradePoint } from "./present/figures/index.js";
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
} from "./present/tables/index.js";
