export {
  continuationExamples,
  examplePrompts,
  type ContinuationExample,
  type SpeakingSystem,
} from "./continuation-examples.js";
export { openEvaluation } from "./evaluation.js";
export { openPairMaker, type PairMaker, type PairParameters } from "./pairs.js";
export { openStudy, type Study, type StudyOptions, type WorkFolder } from "./study.js";
export { readComments, readPassages, readPerplexityText, readPrompts } from "./texts.js";
