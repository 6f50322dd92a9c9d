import { brotliCompress, constants } from "node:zlib";
import { promisify } from "node:util";
import { sha256Of } from "@alignscope/base/checksum";

/** A file of the pack, by its path below the pack's folder. */
export interface PackedFile {
  path: string;
  data: Uint8Array;
  mode: number;
  /** In place of contents: where a symbolic link leads. */
  link?: string;
}

/** What the compressor does best apart, and side by side: text, and everything else. */
export function partsOf(files: readonly PackedFile[]): { text: PackedFile[]; binary: PackedFile[] } {
  const isText = ({ data }: PackedFile): boolean => !data.subarray(0, 8192).includes(0);
  return { text: files.filter(isText), binary: files.filter((file) => !isText(file)) };
}

/**
 * Files as one stream: their list as a line of JSON, then their contents in that order. Like lies beside like, so that
 * the compressor finds what repeats.
 */
export function payloadOf(files: readonly PackedFile[]): Buffer {
  const kind = ({ path }: PackedFile): string => /\.(d\.[cm]?ts|[^./]+)$/.exec(path)?.[0] ?? "";
  const name = ({ path }: PackedFile): string => path.slice(path.lastIndexOf("/") + 1);
  const key = (file: PackedFile): string => [kind(file), name(file), file.path].join("\0");
  const sorted = files.map((file) => ({ file, by: key(file) })).sort((a, b) => (a.by < b.by ? -1 : 1));
  const list = sorted.map(({ file: { path, data, mode, link } }) =>
    link === undefined ? { path, size: data.length, mode } : { path, link },
  );
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(list)}\n`),
    ...sorted.filter(({ file }) => file.link === undefined).map(({ file }) => file.data),
  ]);
}

/**
 * Compressed with brotli, which every Node can read: half of what gzip makes of it. The window spans the whole payload:
 * two copies of a compiler or of a library cost little more than one.
 */
export async function compressPayload(payload: Buffer, quality: number): Promise<Buffer> {
  return promisify(brotliCompress)(payload, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LARGE_WINDOW]: 1,
      [constants.BROTLI_PARAM_LGWIN]: 28,
      [constants.BROTLI_PARAM_SIZE_HINT]: payload.length,
    },
  });
}

/** One line per file as `sha256sum` writes and reads them, sorted by path; links are left out. */
export function manifestOf(files: readonly PackedFile[]): string {
  return files
    .filter(({ link }) => link === undefined)
    .map(({ path, data }) => ({ path, sum: sha256Of(data) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, sum }) => `${sum}  ${path}\n`)
    .join("");
}
