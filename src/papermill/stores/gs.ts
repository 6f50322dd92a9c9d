import { UserError, messageOf } from "@alignscope/base/errors";
import { parseNotebook } from "jupyter-wire";
import { bucketAndKey, importPackage, optionalPackage, type Importer } from "./optional-package.js";
import { RateLimitError, RETRY, withRetries } from "./retry.js";
import { NETWORK_PACE, type NotebookStore } from "./store.js";

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

async function failing<Result>(what: string, path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new UserError(`cannot ${what} ${path} (${messageOf(error).split("\n")[0]})`);
  }
}
