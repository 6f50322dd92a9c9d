/** The paper's claims: their catalogue, the verdict on each, and the verdicts of a whole run. */
export {
  paperClaim,
  paperClaims,
  type PaperClaim,
  judge,
  type JudgedClaim,
  type Measured,
  type Verdict,
} from "./judge.js";
export {
  type ClaimsFile,
  countsText,
  countVerdicts,
  mergeClaims,
  type NotebookClaims,
  type RunClaim,
} from "./merge.js";
export { bandText, claimsTable, measuredText, styleOf, valueText } from "./text.js";
