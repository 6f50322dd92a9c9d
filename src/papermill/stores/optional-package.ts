import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError, messageOf } from "@alignscope/base/errors";

/** Loads a package by its name; a test gives its own. */
export type Importer = (name: string) => Promise<unknown>;

/** Finds the package beside this one, else where the command is run, which may be another project. */
export const importPackage: Importer = async (name) => {
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
export async function optionalPackage<Package>(
  name: string,
  scheme: string,
  load: Importer,
): Promise<Package> {
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
export function bucketAndKey(path: string): { bucket: string; key: string } {
  const [, bucket = "", key = ""] = /^[a-z0-9]+:\/\/([^/]+)\/(.+)$/i.exec(path) ?? [];
  if (bucket === "" || key === "")
    throw new UserError(`${path} names no file (expected SCHEME://BUCKET/PATH)`);
  return { bucket, key };
}
