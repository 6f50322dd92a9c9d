export { continuationExamplesTable } from "./continuation-examples.js";
export { decompositionTable } from "./decomposition.js";
export { dpoTrainingTable, lensStepsTable } from "./dpo.js";
export { choicesTable, dpoSettingsTable, pplmSettingsTable } from "./hyperparameters.js";
export { pairsExamplesTable, pairsNeedsTable, pairsScorersTable, pairsSummaryTable } from "./pairs.js";
export {
  parametersByKindTable,
  parametersMostTurnedTable,
  parametersReadingsTable,
  parametersTokensTable,
  parametersToxicTable,
} from "./parameters.js";
export { probePenaltyTable, probeTable } from "./probe.js";
export { promotionTable } from "./promotion.js";
export {
  activationLevelsTable,
  leaderActivationsTable,
  mlpShiftsTable,
  shiftConstancyTable,
} from "./residual-shift.js";
export { systemsTable } from "./systems.js";
export { unalignExamplesTable, unalignKeysTable } from "./unalign.js";
export { valueVectorRankingTable } from "./value-vectors.js";
export { promotedTokensTable, svdStabilityTable, vocabularyTable } from "./vocabulary.js";
