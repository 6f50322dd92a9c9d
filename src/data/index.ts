/** The data room: what is known by name, where it lies, how it is read, and what notebooks hand on to each other. */
export { modelChecksum, sha256Of } from "@alignscope/base/checksum";
export { UserError } from "@alignscope/base/errors";
export { copyFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
export { projectRoot } from "@alignscope/base/paths";
export { openArtifacts, type Artifacts } from "./artifacts.js";
export { locate } from "./locate.js";
export { fields, readCsv, readJsonl, readNpyStrings, readText, readWikitextRows } from "./readers.js";
export { datasets, models } from "./registry.js";
