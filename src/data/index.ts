/** The data room: what is known by name, where it lies, how it is read, and what notebooks hand on to each other. */
export { openArtifacts, type Artifacts, type MadeWith } from "./artifacts";
export { checksumOf, modelChecksum, sha256Of } from "./checksum";
export { messageOf, UserError } from "./errors";
export { writeFileAtomic, writeJsonAtomic } from "./files";
export { type Floats } from "./floats";
export { freezeLab } from "./freeze-lab";
export { locate, locateEntry, type LocateOptions, type Place, type Progress } from "./locate";
export { nearest, suggestion } from "./nearest";
export { cacheFolder, mirrorFolder, projectRoot } from "./paths";
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
} from "./readers";
export { datasets, models, registered, registry, type Registered, type RegisteredFile } from "./registry";
