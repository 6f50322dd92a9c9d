export { continuationExamplesTable } from "./continuation-examples";
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
export {
  activationLevelsTable,
  leaderActivationsTable,
  mlpShiftsTable,
  shiftConstancyTable,
} from "./residual-shift";
export { systemsTable, type SystemMeasure } from "./systems";
export { unalignExamplesTable, unalignKeysTable } from "./unalign";
