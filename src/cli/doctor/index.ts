/** What stands between this machine and a run: each check's lines, and whether the profile can run. */
export { examine, type DoctorOptions } from "./run.js";
export type { Check, Context } from "./check.js";
export { thisHost, type Host, type Ran } from "./host.js";
export type { CheckedLines, Line, Report, Sign } from "./report.js";
export { reportText } from "./text.js";
