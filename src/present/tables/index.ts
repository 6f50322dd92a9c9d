export { continuationExamplesTable } from "./continuation-examples";
export { systemsTable, type SystemMeasure } from "./systems";
