export { openStudy, type Study, type StudyOptions, type Workshop } from "./study.js";
export { readComments, readPassages, readPerplexityText, readPrompts } from "./texts.js";
