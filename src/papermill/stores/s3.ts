import { UserError, messageOf } from "@alignscope/base/errors";
import { parseNotebook } from "jupyter-wire";
import { bucketAndKey, importPackage, optionalPackage, type Importer } from "./optional-package.js";
import { NETWORK_PACE, type NotebookStore } from "./store.js";

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
      let text: string | undefined;
      try {
        const answer = await new S3Client({}).send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        text = await answer.Body?.transformToString("utf-8");
      } catch (error) {
        throw new UserError(`cannot read ${path} (${messageOf(error).split("\n")[0]})`);
      }
      return parseNotebook(text ?? "", path);
    },
    pace: NETWORK_PACE,
    checkWritable: (path) => void bucketAndKey(path),
    async write(path, body) {
      const { S3Client, PutObjectCommand } = await open();
      const { bucket, key } = bucketAndKey(path);
      const input = { Bucket: bucket, Key: key, Body: body, ContentType: "application/json" };
      try {
        await new S3Client({}).send(new PutObjectCommand(input));
      } catch (error) {
        throw new UserError(`cannot write ${path} (${messageOf(error).split("\n")[0]})`);
      }
    },
    prepare: async () => void (await open()),
  };
}
