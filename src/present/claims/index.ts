/** The paper's claims: their catalogue, the verdict on each, and the verdicts of a whole run. */
export {
  type ClaimMeasure,
  paperClaim,
  paperClaims,
  type PaperClaim,
  type Band,
  judge,
  type JudgedClaim,
  type JudgedMeasure,
  type Measured,
  type Verdict,
} from "./judge.js";
export {
  CLAIMS_CELL,
  type ClaimPlace,
  type ClaimsFile,
  countsText,
  countVerdicts,
  mergeClaims,
  type NotebookClaims,
  type RunClaim,
} from "./merge.js";
export { bandText, claimsTable, measuredText, styleOf, valueText } from "./text.js";
