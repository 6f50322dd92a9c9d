import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { messageOf, UserError } from "@alignscope/base/errors";
import { parseNotebook } from "jupyter-wire";
import type { NotebookStore } from "./local.js";

/** Milliseconds that lie at least between two writes over a network while a run goes on. */
const NETWORK_PACE = 5000;
/** How often and how patiently, in milliseconds; papermill's numbers. */
const RETRY = { attempts: 3, delay: 1000, longest: 4000 };
/** Milliseconds one request may take. */
const TIMEOUT = 60_000;

/** `http://` and `https://`: read by GET, the finished notebook written by PUT. */
export function httpStore(timeout = TIMEOUT, retry = RETRY): NotebookStore {
  const ask = (path: string, what: string, init: RequestInit): Promise<string> =>
    withRetries(() => request(path, what, init, timeout), retry).catch((error: unknown) => {
      throw error instanceof RateLimitError ? new UserError(error.message) : error;
    });
  return {
    handles: (path) => /^https?:\/\//i.test(path),
    async read(path) {
      const text = await ask(path, "read", { headers: { accept: "application/json" } });
      return parseNotebook(text, path);
    },
    pace: NETWORK_PACE,
    checkWritable: () => undefined,
    async write(path, body) {
      const headers = { "content-type": "application/json" };
      await ask(path, "write", { method: "PUT", headers, body });
    },
  };
}

async function request(path: string, what: string, init: RequestInit, timeout: number): Promise<string> {
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(path, { ...init, signal: AbortSignal.timeout(timeout) });
    text = await answer.text();
  } catch (error) {
    throw new UserError(`cannot ${what} ${path} (${reason(error, timeout)})`);
  }
  if (answer.ok) return text;
  const message =
    `cannot ${what} ${path}: the server answered ${answer.status} ${answer.statusText}`.trimEnd();
  throw answer.status === 429 ? new RateLimitError(message) : new UserError(message);
}

/** fetch itself only says "fetch failed". */
function reason(error: unknown, timeout: number): string {
  if (error instanceof Error && error.name === "TimeoutError") return `no answer within ${timeout / 1000} s`;
  const cause = error instanceof Error ? error.cause : undefined;
  const text = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : undefined;
  return (text ?? messageOf(error)).split("\n")[0] ?? "";
}

/** What is used of `@aws-sdk/client-s3`. */
interface S3Package {
  S3Client: new (configuration: object) => { send(command: unknown): Promise<S3Answer> };
  GetObjectCommand: new (input: { Bucket: string; Key: string }) => unknown;
  PutObjectCommand: new (input: {
    Bucket: string;
    Key: string;
    Body: string;
    ContentType: string;
  }) => unknown;
}

interface S3Answer {
  Body?: { transformToString(encoding: string): Promise<string> };
}

/** `s3://bucket/key`, by AWS's own package, which finds keys and region in the usual places and retries by itself. */
export function s3Store(load: Importer = importPackage): NotebookStore {
  const open = (): Promise<S3Package> => optionalPackage<S3Package>("@aws-sdk/client-s3", "s3", load);
  return {
    handles: (path) => /^s3:\/\//i.test(path),
    async read(path) {
      const { S3Client, GetObjectCommand } = await open();
      const { bucket, key } = bucketAndKey(path);
      const text = await failing("read", path, async () => {
        const answer = await new S3Client({}).send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return answer.Body?.transformToString("utf-8");
      });
      return parseNotebook(text ?? "", path);
    },
    pace: NETWORK_PACE,
    checkWritable: (path) => void bucketAndKey(path),
    async write(path, body) {
      const { S3Client, PutObjectCommand } = await open();
      const { bucket, key } = bucketAndKey(path);
      const input = { Bucket: bucket, Key: key, Body: body, ContentType: "application/json" };
      await failing("write", path, () => new S3Client({}).send(new PutObjectCommand(input)));
    },
    prepare: async () => void (await open()),
  };
}

/** What is used of `@google-cloud/storage`. */
interface StoragePackage {
  Storage: new () => { bucket(name: string): { file(key: string): StoredFile } };
}

interface StoredFile {
  download(): Promise<[Uint8Array]>;
  save(text: string, options: { contentType: string }): Promise<unknown>;
}

/** `gs://bucket/key`, by Google's own package; a write that comes too soon after another is done again. */
export function gsStore(load: Importer = importPackage, retry = RETRY): NotebookStore {
  const open = (): Promise<StoragePackage> =>
    optionalPackage<StoragePackage>("@google-cloud/storage", "gs", load);
  const fileOf = async (path: string): Promise<StoredFile> => {
    const { Storage } = await open();
    const { bucket, key } = bucketAndKey(path);
    return new Storage().bucket(bucket).file(key);
  };
  return {
    handles: (path) => /^gs:\/\//i.test(path),
    async read(path) {
      const file = await fileOf(path);
      const [bytes] = await failing("read", path, () => file.download());
      return parseNotebook(Buffer.from(bytes).toString("utf8"), path);
    },
    pace: NETWORK_PACE,
    checkWritable: (path) => void bucketAndKey(path),
    async write(path, body) {
      const file = await fileOf(path);
      const save = (): Promise<unknown> =>
        file.save(body, { contentType: "application/json" }).catch((error: unknown) => {
          throw Number((error as { code?: unknown }).code) === 429
            ? new RateLimitError(messageOf(error))
            : error;
        });
      await failing("write", path, () => withRetries(save, retry));
    },
    prepare: async () => void (await open()),
  };
}

/** Loads a package by its name; a test gives its own. */
type Importer = (name: string) => Promise<unknown>;

/** Finds the package beside this one, else where the command is run, which may be another project. */
const importPackage: Importer = async (name) => {
  const near = createRequire(import.meta.url);
  const there = createRequire(join(process.cwd(), "papermill-ts.js"));
  let path: string;
  try {
    path = near.resolve(name);
  } catch {
    path = there.resolve(name);
  }
  return import(pathToFileURL(path).href);
};

/**
 * A package that only those install who need it.
 *
 * @throws UserError that says what to install
 */
async function optionalPackage<Package>(name: string, scheme: string, load: Importer): Promise<Package> {
  try {
    return (await load(name)) as Package;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const absent = code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND";
    throw new UserError(
      absent
        ? `${scheme}:// paths need the package ${name}: npm install ${name}`
        : `the package ${name}, which ${scheme}:// paths need, cannot be loaded (${messageOf(error)})`,
    );
  }
}

/** Bucket and key of `scheme://bucket/key`. */
function bucketAndKey(path: string): { bucket: string; key: string } {
  const [, bucket = "", key = ""] = /^[a-z0-9]+:\/\/([^/]+)\/(.+)$/i.exec(path) ?? [];
  if (bucket === "" || key === "")
    throw new UserError(`${path} names no file (expected SCHEME://BUCKET/PATH)`);
  return { bucket, key };
}

/** Work at a path, whose failure becomes a line. */
async function failing<Result>(what: string, path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new UserError(`cannot ${what} ${path} (${messageOf(error).split("\n")[0]})`);
  }
}

/** Asked too often: worth asking again. papermill's PapermillRateLimitException. */
class RateLimitError extends Error {
  override readonly name = "RateLimitError";
}

/** Does the work again, with growing pauses, while it fails with a RateLimitError. */
async function withRetries<Result>(work: () => Promise<Result>, retry = RETRY): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RateLimitError) || attempt >= retry.attempts) throw error;
      await sleep(Math.min(retry.delay * 2 ** (attempt - 1), retry.longest));
    }
  }
}
