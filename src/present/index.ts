// The present room: figures, tables, the paper's values beside ours, masked words, and the way into a notebook.

export {
  claimsTable,
  type ClaimsFile,
  judge,
  type JudgedClaim,
  type Measured,
  paperClaim,
  type PaperClaim,
  paperClaims,
  type Verdict,
} from "./claims/index.js";
export { type Figure, type FigureLabels, type FigureOptions, figure } from "./figure.js";
export { type Frame, frame } from "./frame.js";
export { duration, fixed, formatNumber, type NumberStyle, percent, signed, significant } from "./format.js";
export { isOffensive, mask, maskCell, type MaskOptions, maskRows, wordsShown } from "./mask.js";
export {
  display,
  type DisplayContent,
  displayHandle,
  type DisplaySink,
  displaySinkKey,
  EXHIBIT_KEY,
  type ExhibitMark,
  inNotebook,
  type MimeBundle,
  type MimeOutput,
  type Presentable,
  print,
  show,
  STUDY_MIME,
} from "./notebook.js";
export {
  type PaperSource,
  paperSources,
  type PaperTable,
  paperTable,
  paperTables,
  type PaperValue,
  paperValue,
  paperValues,
} from "./paper-values.js";
export { type Progress, progress, type ProgressOptions } from "./progress.js";
export { type Cell, type Row, toCsv } from "./rows.js";
export { besideSettings, type ComparedSetting } from "./settings.js";
export { type Table, type TableLabels, type TableOptions, table } from "./table.js";
export type { Column } from "./table-formats.js";
export { activationLooks, type Look, lookEncoding, type LookOptions, modelLooks, palette } from "./theme.js";
