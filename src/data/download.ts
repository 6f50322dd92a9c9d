import { existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hashFile } from "@alignscope/base/checksum";
import { messageOf, reasonOf, UserError } from "@alignscope/base/errors";
import { withLock } from "@alignscope/base/lock";

export interface Download {
  readonly url: string;
  /** Where the finished file goes; nothing is there before it is whole and checked. */
  readonly target: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Called with the bytes on disk so far, those of an earlier, broken-off download included. */
  readonly onProgress?: (receivedBytes: number) => void;
  /** How often a broken connection is taken up again; 3 unless told. */
  readonly retries?: number;
  /** Pause before the first retry in milliseconds, doubled for each further one; 1000 unless told. */
  readonly retryDelayMs?: number;
  /** Milliseconds without a byte after which a connection counts as broken; 60 000 unless told. */
  readonly idleTimeoutMs?: number;
}

/** The source cannot be reached or does not have the file; says which address and why. */
export class DownloadError extends UserError {}

/** A failure after which asking again may help: a broken connection, a server that is busy. */
class Passing extends Error {}

/** The bytes of a download that is not complete yet; kept when it breaks off, to go on from there. */
function partialOf(target: string): string {
  return `${target}.partial`;
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

/** Fetches what is still missing from the partial file, once. */
async function fetchRest(download: Download): Promise<void> {
  const { url, target, bytes, onProgress, idleTimeoutMs = 60_000 } = download;
  const partial = partialOf(target);
  if (sizeOf(partial) > bytes) rmSync(partial);
  const have = sizeOf(partial);
  if (have === bytes) return;

  const abort = new AbortController();
  const idle = setTimeout(() => {
    abort.abort(new Error(`nothing received for ${idleTimeoutMs / 1000} s`));
  }, idleTimeoutMs);
  try {
    const response = await fetch(url, {
      // A compressed body would have another length than the file, and its ranges another meaning.
      headers: { "accept-encoding": "identity", ...(have > 0 ? { range: `bytes=${have}-` } : {}) },
      signal: abort.signal,
    });
    if (response.status === 416) {
      rmSync(partial, { force: true });
      throw new Passing("the server has nothing after the part that is here");
    }
    if (!response.ok || !response.body) {
      const message = `HTTP ${response.status}${response.statusText ? ` ${response.statusText}` : ""}`;
      const passing = response.status === 408 || response.status === 429 || response.status >= 500;
      throw passing ? new Passing(message) : new DownloadError(message);
    }
    // A server that ignores the range sends all of it again (200); one that sends another range is not to be trusted.
    const resumes = response.status === 206;
    if (resumes && !response.headers.get("content-range")?.startsWith(`bytes ${have}-`)) {
      rmSync(partial, { force: true });
      throw new Passing("the server answered with another range than asked");
    }
    let received = resumes ? have : 0;
    const file = await open(partial, resumes ? "a" : "w");
    try {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        idle.refresh();
        received += chunk.byteLength;
        if (received > bytes) break;
        await file.writeFile(chunk);
        onProgress?.(received);
      }
    } finally {
      await file.close();
    }
    if (received > bytes) {
      rmSync(partial);
      throw new DownloadError(`it sends more than the expected ${bytes} bytes`);
    }
    if (received < bytes) throw new Passing(`the body ended after ${received} of ${bytes} bytes`);
  } catch (error) {
    if (error instanceof UserError || error instanceof Passing) throw error;
    if ((error as NodeJS.ErrnoException).syscall !== undefined) {
      throw new UserError(`cannot write ${partial}: ${messageOf(error)}`); // the disk, not the network
    }
    throw new Passing(reasonOf(error));
  } finally {
    clearTimeout(idle);
  }
}

function unreachable({ url, target }: Download, error: Error): DownloadError {
  if (sizeOf(partialOf(target)) === 0) rmSync(partialOf(target), { force: true });
  return new DownloadError(`cannot download ${url}: ${error.message}`);
}

/** {@link fetchRest}, again after passing failures; what has come by then stays in the partial file. */
async function fetchAll(download: Download): Promise<void> {
  const { retries = 3, retryDelayMs = 1000 } = download;
  for (let failures = 0; ;) {
    const before = sizeOf(partialOf(download.target));
    try {
      await fetchRest(download);
      return;
    } catch (error) {
      if (error instanceof DownloadError) throw unreachable(download, error);
      if (!(error instanceof Passing)) throw error;
      // Whoever got further may go on: a long download over a bad line breaks more than three times.
      failures = sizeOf(partialOf(download.target)) > before ? 1 : failures + 1;
      if (failures > retries) throw unreachable(download, error);
      await sleep(retryDelayMs * 2 ** (failures - 1));
    }
  }
}

/**
 * Downloads a file of known size and checksum: into a partial file beside the target, going on where an earlier
 * download broke off (HTTP Range), then compared with its sha256, then renamed. Several processes may ask for the same
 * file; one of them fetches it.
 *
 * @throws UserError in one line: what the server said, or the checksum that was got and the one that was expected
 */
export async function downloadFile(download: Download): Promise<void> {
  const { url, target, sha256 } = download;
  const partial = partialOf(target);
  mkdirSync(dirname(target), { recursive: true });
  const locked = { what: target, otherwise: "set ALIGNSCOPE_CACHE to another folder" };
  await withLock(`${target}.lock`, locked, async () => {
    if (existsSync(target)) return; // another process was faster
    const resumed = sizeOf(partial) > 0;
    await fetchAll(download);
    let got = await hashFile(partial);
    if (got !== sha256 && resumed) {
      // The part that lay here may have been of something else: once more, from the first byte.
      rmSync(partial);
      await fetchAll(download);
      got = await hashFile(partial);
    }
    if (got !== sha256) {
      rmSync(partial);
      throw new UserError(`corrupted download ${url}: sha256 is ${got}, expected ${sha256}`);
    }
    renameSync(partial, target);
  });
}
