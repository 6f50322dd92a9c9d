export { continuationExamplesTable } from "./continuation-examples";
export { decompositionTable } from "./decomposition";
export { dpoTrainingTable, lensStepsTable } from "./dpo";
export { choicesTable, dpoSettingsTable, pplmSettingsTable } from "./hyperparameters";
export { pairsExamplesTable, pairsNeedsTable, pairsScorersTable, pairsSummaryTable } from "./pairs";
export {
  parametersByKindTable,
  parametersMostTurnedTable,
  parametersReadingsTable,
  parametersTokensTable,
  parametersToxicTable,
} from "./parameters";
export { probePenaltyTable, probeTable } from "./probe";
export { promotionTable } from "./promotion";
export {
  activationLevelsTable,
  leaderActivationsTable,
  mlpShiftsTable,
  shiftConstancyTable,
} from "./residual-shift";
export { systemsTable, type SystemMeasure } from "./systems";
export { unalignExamplesTable, unalignKeysTable } from "./unalign";
export { valueVectorRankingTable } from "./value-vectors";
export { promotedTokensTable, svdStabilityTable, vocabularyTable } from "./vocabulary";
