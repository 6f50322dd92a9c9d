// The present room: figures, tables, the paper's values beside ours, masked words, and the way into a notebook.

export { claimsTable, type ClaimsFile, judge, type Measured } from "./claims/index.js";
export { type Figure, figure } from "./figure.js";
export { frame } from "./frame.js";
export { fixed, formatNumber, percent, signed, significant } from "./format.js";
export { isOffensive, mask } from "./mask.js";
export { display, EXHIBIT_KEY, type ExhibitMark, print, show, STUDY_MIME } from "./notebook.js";
export { paperTable, paperValue } from "./paper-values.js";
export { progress } from "./progress.js";
export { type Row } from "./rows.js";
export { type Table, table } from "./table.js";
export type { Column } from "./table-formats.js";
export { lookEncoding, palette } from "./theme.js";
