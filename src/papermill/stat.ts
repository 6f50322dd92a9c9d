import { statSync, type Stats } from "node:fs";

/** What lies at the path; undefined for nothing, also when a file stands where a folder on the way should be. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined; // `throwIfNoEntry: false` would still throw for the file on the way.
  }
}
