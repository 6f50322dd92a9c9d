/*
 * What a notebook imports: `import { … } from "alignscope"`. Each name is documented where it is defined.
 */

// A study: backend, model, tokenizer, artifacts and the run's folder in one call, and the texts it works on.
export { openStudy, readComments, readPassages, readPerplexityText, readPrompts } from "./study/index.js";
export type { Study, StudyOptions, Workshop } from "./study/index.js";

// Data and artifacts.
export { datasets, locate, models, openArtifacts, readCsv, readJsonl, UserError } from "./data/index.js";
export type { Artifacts } from "./data/index.js";

// Backends.
export { describeBackend, openBackend } from "@alignscope/tensors";
export type { BackendDescription } from "@alignscope/tensors";

// Linear algebra in float64.
export { pca, svd } from "@alignscope/tensors/linalg";

// The model: passes with hooks, what they keep, gradients, generation.
export {
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
export { decomposeMlps, decomposeResidual } from "./toxicity/decomposition.js";
export type { Decomposition, MlpDecomposition, SubUpdate } from "./toxicity/decomposition.js";
export { meanResiduals } from "./toxicity/features.js";
export { effectPerDisturbance, keyDisturbance, keyEffects, rankKeys } from "./toxicity/key-effects.js";
export type { ChangedContinuation, ScoredKey } from "./toxicity/key-effects.js";
export { randomDirections, scaleForPerplexity, subtractDirection } from "./toxicity/interventions.js";
export { likeliestNextTokens } from "./toxicity/next-tokens.js";
export { fitProbe, trainProbe } from "./toxicity/probe.js";
export type { LabelledText, Probe } from "./toxicity/probe.js";
export { measurePromotion } from "./toxicity/promotion.js";
export type { Promotion } from "./toxicity/promotion.js";
export { randomNeurons } from "./toxicity/random.js";
export { silencedPromotion } from "./toxicity/silenced.js";
export { svdBasis } from "./toxicity/svd-basis.js";
export type { SvdBasis } from "./toxicity/svd-basis.js";
export { unalign } from "./toxicity/unalign.js";
export { allCosines, nameOf, rankValueVectors, readValueVectors } from "./toxicity/value-vectors.js";
export type { Neuron, RankedValueVector } from "./toxicity/value-vectors.js";
export { cosine, dot, mean, norm, pearson, spearman, unit } from "./toxicity/vectors.js";
export { jaccard, largest, projectToVocabulary, topTokens } from "./toxicity/vocabulary.js";
export type { ScoredToken } from "./toxicity/vocabulary.js";
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
  mergePairs,
  perturbedContinuations,
  readPairs,
  readPairPrompts,
  tokenisePairs,
  writePairs,
} from "./alignment/pairs/index.js";
export type { PairRow, PairsSummary, ReadPair } from "./alignment/pairs/index.js";
export type { PreferencePair, TokenPair } from "./alignment/preference-pair.js";
export {
  attributeOfProbe,
  generatePerturbed,
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
} from "./analysis/index.js";
export type {
  ActivationChange,
  ComponentShare,
  ModelPair,
  ResidualPair,
  ResidualShift,
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
export { lensBand, lensSteps } from "./metrics/lens-band.js";
export type { LensPoint, LensStep } from "./metrics/lens-band.js";
export { matchScales } from "./metrics/matched-scales.js";
export type { Direction, MatchedDirection } from "./metrics/matched-scales.js";
export { perplexitiesUnderShifts, perplexity } from "./metrics/perplexity.js";
export { scoreTexts, toxicityOfContinuations } from "./metrics/toxicity.js";
export type { ContinuationToxicity } from "./metrics/toxicity.js";
export { measureUnaligned, restoredShare } from "./metrics/unaligned.js";
export type { ScaledKeys } from "./metrics/unaligned.js";

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
} from "./present/index.js";
export type { Figure, Row, Table } from "./present/index.js";
export { activationBars, cosinePanels, pairedShift, shiftPlaneFigure } from "./present/figures/index.js";
