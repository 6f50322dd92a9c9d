/** What stands between this machine and a run: each check's lines, and whether the profile can run. */
export { examine, type DoctorOptions } from "./run";
export type { Check, Context } from "./check";
export { thisHost, type Host, type Ran } from "./host";
export type { CheckedLines, Line, Report, Sign } from "./report";
export { reportText } from "./text";
