export { openStudy, type Study, type StudyOptions } from "./study";
export { readComments, readPassages, readPerplexityText, readPrompts } from "./texts";
