export { openPairMaker, type PairMaker, type PairParameters } from "./pairs";
export { openStudy, type Study, type StudyOptions, type Workshop } from "./study";
export { readComments, readPassages, readPerplexityText, readPrompts } from "./texts";
