/** The data room: what is known by name, where it lies, how it is read, and what notebooks hand on to each other. */
export { openArtifacts, type Artifacts, type MadeWith } from "./artifacts.js";
export { checksumOf, modelChecksum, sha256Of } from "@alignscope/base/checksum";
export { messageOf, UserError } from "@alignscope/base/errors";
export { writeFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
export { type Floats } from "./floats.js";
export { freezeLab } from "./freeze-lab.js";
export { locate, locateEntry, type LocateOptions, type Place, type Progress } from "./locate.js";
export { nearest, suggestion } from "@alignscope/base/nearest";
export { cacheFolder, mirrorFolder, projectRoot } from "@alignscope/base/paths";
export {
  fields,
  readCsv,
  readJsonl,
  readNpyStrings,
  readText,
  readTsv,
  readWikitext,
  readWikitextRows,
  type Article,
  type Validate,
} from "./readers.js";
export { datasets, models, registered, registry, type Registered, type RegisteredFile } from "./registry.js";
