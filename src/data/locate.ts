import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { unzipSync } from "fflate";
import { checksumOf, sha256Of } from "@alignscope/base/checksum";
import { DownloadError, downloadFile } from "./download.js";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic } from "@alignscope/base/files";
import { cacheFolder, mirrorFolder, projectRoot } from "@alignscope/base/paths";
import { registered, type Registered, type RegisteredFile } from "./registry.js";

/** How far a download has come. */
export interface Progress {
  readonly name: string;
  readonly file: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface LocateOptions {
  /** Where the file, or the model's folder, lies; nothing else is looked at then. */
  readonly path?: string;
  readonly onProgress?: (progress: Progress) => void;
  /** `false`: look, but do not download. */
  readonly download?: boolean;
  /** Read every byte again, also of big files whose checksum is remembered. */
  readonly fresh?: boolean;
}

export type Where = "path" | "embedded" | "mirror" | "cache" | "download";

/** A place where the files of an entry were found and agree with their checksums. */
export interface Place {
  readonly where: Where;
  /** The file, or for a model the folder. */
  readonly path: string;
}

/** What to do about a corrupted file, by the place it was found in. */
function remedy(where: Where, entry: Registered): string {
  switch (where) {
    case "path":
      return "pass the path of the right file, or none to have it looked for";
    case "embedded":
      return "restore it with `git checkout -- data/lab`, or after a change that you meant run `npx alignscope data freeze-lab`";
    case "mirror":
      return "replace it in the mirror, or unset ALIGNSCOPE_MIRROR";
    default:
      return `delete it and run \`npx alignscope data fetch ${entry.name}\``;
  }
}

function pathIn(place: string, entry: Registered, file: RegisteredFile): string {
  return entry.layout === "file" ? place : join(place, file.name);
}

/** The names of the files that `place` lacks. */
function missingIn(place: string, entry: Registered): string[] {
  return entry.files
    .filter((file) => !statSync(pathIn(place, entry, file), { throwIfNoEntry: false })?.isFile())
    .map(({ name }) => name);
}

async function check(
  path: string,
  file: RegisteredFile,
  where: Where,
  entry: Registered,
  fresh = false,
): Promise<void> {
  const got = await checksumOf(path, { fresh });
  if (got === file.sha256) return;
  const { size } = statSync(path);
  throw new UserError(
    `corrupted file ${path}: sha256 is ${got} (${size} bytes), expected ${file.sha256} (${file.bytes} bytes); ` +
      remedy(where, entry),
  );
}

async function checkAll(
  place: string,
  where: Where,
  entry: Registered,
  options: LocateOptions,
): Promise<Place> {
  for (const file of entry.files) {
    await check(pathIn(place, entry, file), file, where, entry, options.fresh);
  }
  return { where, path: place };
}

/** Where downloads of an entry are kept. */
export function cachePlace(entry: Registered): string {
  const folder = join(cacheFolder(), `${entry.kind}s`, entry.name);
  return entry.layout === "file" ? join(folder, entry.files[0]?.name ?? entry.name) : folder;
}

/** The public address of one of an entry's files (HF_ENDPOINT names another host of the hub), if it has one. */
export function downloadUrl(entry: Registered, file: RegisteredFile): string | undefined {
  const { huggingface: hub, url } = entry.sources;
  if (!hub) return url;
  const endpoint = (process.env["HF_ENDPOINT"] ?? "https://huggingface.co").replace(/\/+$/, "");
  const kind = hub.kind === "dataset" ? "datasets/" : "";
  return `${endpoint}/${kind}${hub.repo}/resolve/${hub.revision}/${hub.path ?? file.name}`;
}

/** Downloads `entry.sources.archive`, takes the file out of it and throws the archive away. */
async function fetchFromArchive(
  entry: Registered,
  file: RegisteredFile,
  target: string,
  url: string,
  options: LocateOptions,
): Promise<void> {
  const { archive } = entry.sources;
  if (!archive) throw new Error(`${entry.name} has no archive`);
  const zip = `${target}.zip`;
  await downloadFile({
    url,
    target: zip,
    bytes: archive.bytes,
    sha256: archive.sha256,
    onProgress: (receivedBytes) =>
      options.onProgress?.({
        name: entry.name,
        file: archive.name,
        receivedBytes,
        totalBytes: archive.bytes,
      }),
  });
  const members = unzipSync(readFileSync(zip), { filter: ({ name }) => name === archive.member });
  const data = members[archive.member];
  rmSync(zip, { force: true });
  if (!data) throw new UserError(`no ${archive.member} in the archive ${url}`);
  const got = sha256Of(data);
  if (got !== file.sha256) {
    throw new UserError(`corrupted ${archive.member} in ${url}: sha256 is ${got}, expected ${file.sha256}`);
  }
  writeFileAtomic(target, data);
}

/** Fetches into the cache what is not there yet. */
async function fetchEntry(entry: Registered, options: LocateOptions): Promise<Place> {
  const place = cachePlace(entry);
  for (const file of entry.files) {
    const target = pathIn(place, entry, file);
    const url = downloadUrl(entry, file);
    if (url === undefined) throw new Error(`${entry.name} has no download source`);
    if (existsSync(target)) {
      await check(target, file, "cache", entry, options.fresh);
    } else if (entry.sources.archive) {
      await fetchFromArchive(entry, file, target, url, options);
    } else {
      await downloadFile({
        url,
        target,
        bytes: file.bytes,
        sha256: file.sha256,
        onProgress: (receivedBytes) =>
          options.onProgress?.({ name: entry.name, file: file.name, receivedBytes, totalBytes: file.bytes }),
      });
    }
  }
  return { where: "download", path: place };
}

async function explicitPlace(path: string, entry: Registered, options: LocateOptions): Promise<Place> {
  const place = resolve(path);
  if (!existsSync(place)) throw new UserError(`no ${place}, which was given as the path of ${entry.name}`);
  const [missing] = missingIn(place, entry);
  if (missing !== undefined) {
    throw new UserError(
      entry.layout === "file"
        ? `${place}, given as the path of ${entry.name}, is a folder; expected a file`
        : `no ${missing} in ${place}, which was given as the path of ${entry.name}`,
    );
  }
  return checkAll(place, "path", entry, options);
}

async function embeddedPlace(embedded: string, entry: Registered, options: LocateOptions): Promise<Place> {
  const place = join(projectRoot(), embedded);
  if (entry.files.length === 0) {
    throw new UserError(
      `data/lab/manifest.json does not list ${embedded}, where ${entry.name} belongs: ` +
        "run `npx alignscope data freeze-lab` after making it",
    );
  }
  const missing = missingIn(place, entry);
  if (missing.length > 0) {
    const what = entry.layout === "file" ? embedded : `${missing.join(", ")} in ${embedded}`;
    throw new UserError(
      `missing ${what}, a part of the repository: restore it with \`git checkout -- data/lab\``,
    );
  }
  return checkAll(place, "embedded", entry, options);
}

/** Where {@link locateEntry} would find `entry`, judged by which files are there, without reading any. */
export function whereabouts(entry: Registered): Exclude<Where, "path"> | "nowhere" {
  const complete = (place: string) => entry.files.length > 0 && missingIn(place, entry).length === 0;
  const { embedded, mirror: inMirror } = entry.sources;
  if (embedded !== undefined) return complete(join(projectRoot(), embedded)) ? "embedded" : "nowhere";
  const mirror = mirrorFolder();
  if (mirror !== undefined && inMirror !== undefined && complete(join(mirror, inMirror))) return "mirror";
  if (complete(cachePlace(entry))) return "cache";
  const [first] = entry.files;
  return first && downloadUrl(entry, first) !== undefined ? "download" : "nowhere";
}

/** Says in one line where `entry` was looked for in vain, and what to do. */
function notFound(entry: Registered, tried: readonly string[]): UserError {
  const what = entry.layout === "file" ? entry.sources.mirror : `a folder ${entry.sources.mirror}`;
  return new UserError(
    `cannot find ${entry.name}: ${tried.join("; ")}. ` +
      `Set ALIGNSCOPE_MIRROR to a folder that holds ${what}, or pass the path of ${entry.name}`,
  );
}

/** {@link locate} for an entry that is at hand; says as well in which place it was found. */
export async function locateEntry(entry: Registered, options: LocateOptions = {}): Promise<Place> {
  if (options.path !== undefined) return explicitPlace(options.path, entry, options);
  if (entry.sources.embedded !== undefined) return embeddedPlace(entry.sources.embedded, entry, options);

  const tried = ["no path was given"];
  const mirror = mirrorFolder();
  if (mirror === undefined) tried.push("ALIGNSCOPE_MIRROR is not set");
  else if (!existsSync(mirror)) tried.push(`there is no mirror folder ${mirror} (ALIGNSCOPE_MIRROR)`);
  else if (entry.sources.mirror !== undefined) {
    const place = join(mirror, entry.sources.mirror);
    const missing = missingIn(place, entry);
    if (missing.length === 0) return checkAll(place, "mirror", entry, options);
    tried.push(
      existsSync(place) && entry.layout === "folder"
        ? `${place} lacks ${missing.join(", ")}`
        : `no ${entry.sources.mirror} in the mirror ${mirror}`,
    );
  }

  const cached = cachePlace(entry);
  const missing = missingIn(cached, entry);
  if (missing.length === 0) return checkAll(cached, "cache", entry, options);
  tried.push(`not in the cache ${cacheFolder()}`);

  const [first] = entry.files;
  if (!first || downloadUrl(entry, first) === undefined) {
    tried.push(
      `no public download of exactly these bytes is known${entry.homepage ? ` (it stems from ${entry.homepage})` : ""}`,
    );
    throw notFound(entry, tried);
  }
  if (options.download === false) {
    tried.push(`not downloaded yet (\`npx alignscope data fetch ${entry.name}\` does)`);
    throw notFound(entry, tried);
  }
  try {
    return await fetchEntry(entry, options);
  } catch (error) {
    throw error instanceof DownloadError ? notFound(entry, [...tried, error.message]) : error;
  }
}

/**
 * The path of a data set's file or a model's folder, by its name in the registry. Looked for in this order: the
 * explicit path, the mirror (ALIGNSCOPE_MIRROR), the local cache, the download source; embedded data in `data/lab`.
 * Every file is compared with its sha256.
 *
 * A path in place of the name (`./my-model`, `/data/mine.jsonl`) is the reader's own file or folder: it has to exist,
 * and there is no checksum to compare it with.
 *
 * @example const prompts = readJsonl<{ prompt: string }>(await locate("lab-prompts"));
 * @throws UserError for an unknown name (lists the nearest), a corrupted file, or one that is found nowhere
 */
export async function locate(nameOrPath: string, options: LocateOptions = {}): Promise<string> {
  if (nameOrPath.includes("/") || nameOrPath.includes(sep)) {
    const own = resolve(nameOrPath);
    if (!existsSync(own)) throw new UserError(`no file or folder ${own}`);
    return own;
  }
  return (await locateEntry(registered(nameOrPath), options)).path;
}
