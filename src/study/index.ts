export {
  continuationExamples,
  examplePrompts,
  type ContinuationExample,
  type SpeakingSystem,
} from "./continuation-examples";
export { openEvaluation, type EvaluationParameters } from "./evaluation";
export { openStudy, type Study, type StudyOptions, type Workshop } from "./study";
export { readComments, readPassages, readPerplexityText, readPrompts } from "./texts";
