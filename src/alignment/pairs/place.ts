import { resolve } from "node:path";
import { locate, type LocateOptions } from "../../data/locate.js";

/** {@link locate}, for which a file's name alone (`pairs.jsonl`) is a path as well: no name of the registry has an extension. */
export function placeOf(nameOrPath: string, options?: LocateOptions): Promise<string> {
  return locate(/\.(jsonl|tsv|txt|raw|zip)$/.test(nameOrPath) ? resolve(nameOrPath) : nameOrPath, options);
}
