export { continuationExamplesTable } from "./continuation-examples";
export { decompositionTable } from "./decomposition";
export { probePenaltyTable, probeTable } from "./probe";
export { promotionTable } from "./promotion";
export { systemsTable, type SystemMeasure } from "./systems";
export { valueVectorRankingTable } from "./value-vectors";
export { promotedTokensTable, svdStabilityTable, vocabularyTable } from "./vocabulary";
