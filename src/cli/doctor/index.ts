/** What stands between this machine and a run: each check's lines, and whether the profile can run. */
export { examine } from "./run.js";
export type { Check } from "./check.js";
export { thisHost } from "./host.js";
export type { Report } from "./report.js";
export { reportText } from "./text.js";
