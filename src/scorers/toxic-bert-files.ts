import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { checksumOf, sha256Of } from "@alignscope/base/checksum";
import { UserError } from "@alignscope/base/errors";
import { cacheFolder, mirrorFolder } from "@alignscope/base/paths";

/*
 * toxic-bert is not in the registry: an entry there promises the sha256 of every file, and nobody has published those of
 * this export where they could be checked against the bytes. What is known is pinned: the repository, and its commit as
 * independent users of it name it. Which bytes were used is said by the scorer's identity.
 */

/** The export of Detoxify's `original` (unitary/toxic-bert) to ONNX. */
export const TOXIC_BERT_REPO = "Xenova/toxic-bert";
export const TOXIC_BERT_REVISION = "65cbc2607cb7fad64f98d1e8a5a3d1f8577895fd";

/** Size of the weights in fp32, to the megabyte. */
export const TOXIC_BERT_BYTES = 438_000_000;

/** Number formats of the weights that the repository holds. */
export type ToxicBertDtype = "fp32" | "fp16" | "q8";

const suffixes: Readonly<Record<ToxicBertDtype, string>> = { fp32: "", fp16: "_fp16", q8: "_quantized" };

/** What has to be in a model's folder. */
function filesFor(dtype: ToxicBertDtype): string[] {
  return ["config.json", "tokenizer.json", "tokenizer_config.json", `onnx/model${suffixes[dtype]}.onnx`];
}

/** The folder that the library's own download writes to; its cache is keyed by repository and commit. */
export function downloadedFolder(): string {
  return join(downloadCache(), TOXIC_BERT_REPO, TOXIC_BERT_REVISION);
}

/** Where the library keeps downloads for us. */
export function downloadCache(): string {
  return join(cacheFolder(), "models");
}

function missingIn(folder: string, dtype: ToxicBertDtype): string[] {
  return filesFor(dtype).filter((file) => !existsSync(join(folder, file)));
}

/** How to get it, for whoever has no network. */
export const howToGet = (dtype: ToxicBertDtype): string =>
  `connect to the network once to have it downloaded (438 MB in fp32), or copy ${filesFor(dtype).join(", ")} of ` +
  `${TOXIC_BERT_REPO} into a folder and name it with ALIGNSCOPE_TOXIC_BERT`;

/**
 * The folder with the model: `path`, else ALIGNSCOPE_TOXIC_BERT, else `toxic-bert` in the mirror, else what was
 * downloaded before.
 *
 * @returns the folder, or where it was looked for in vain
 * @throws UserError when a folder that was named lacks a file
 */
export function findToxicBert(
  dtype: ToxicBertDtype,
  path?: string,
): { readonly folder: string } | { readonly tried: readonly string[] } {
  const named = path ?? (process.env["ALIGNSCOPE_TOXIC_BERT"] || undefined);
  if (named !== undefined) {
    const folder = resolve(named);
    const missing = missingIn(folder, dtype);
    if (missing.length === 0) return { folder };
    const how = path === undefined ? "named by ALIGNSCOPE_TOXIC_BERT" : "given as the path of toxic-bert";
    throw new UserError(
      `no ${missing.join(", ")} in ${folder}, ${how}: expected the files of ${TOXIC_BERT_REPO}, or leave it out`,
    );
  }
  const tried = ["ALIGNSCOPE_TOXIC_BERT is not set"];
  const mirror = mirrorFolder();
  if (mirror !== undefined) {
    const folder = join(mirror, "toxic-bert");
    const missing = missingIn(folder, dtype);
    if (missing.length === 0) return { folder };
    tried.push(
      existsSync(folder) ? `${folder} lacks ${missing.join(", ")}` : `no toxic-bert in the mirror ${mirror}`,
    );
  }
  const downloaded = downloadedFolder();
  if (missingIn(downloaded, dtype).length === 0) return { folder: downloaded };
  return { tried: [...tried, `not downloaded to ${downloadCache()}`] };
}

/** One checksum for what the scores depend on: the names and sha256s of the model's files. */
export async function checksumOfModel(folder: string, dtype: ToxicBertDtype): Promise<string> {
  const lines: string[] = [];
  for (const file of filesFor(dtype)) lines.push(`${await checksumOf(join(folder, file))}  ${file}\n`);
  return sha256Of(lines.join(""));
}
