import { readFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { messageOf, UserError } from "@alignscope/base/errors";

/**
 * The text of one file of a zip archive, UTF-8.
 *
 * @param member its name, with or without the folders above it
 * @throws UserError when the archive cannot be read or has no such file
 */
export function readZipText(path: string, member: string): string {
  const names: string[] = [];
  let found: Uint8Array | undefined;
  try {
    const members = unzipSync(readFileSync(path), {
      filter: ({ name }) => {
        names.push(name);
        return name === member || name.endsWith(`/${member}`);
      },
    });
    found = Object.values(members)[0];
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`);
  }
  if (!found) throw new UserError(`no ${member} in ${path}: it has ${names.join(", ") || "no files"}`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(found);
  } catch {
    throw new UserError(`${member} in ${path} is not UTF-8 text`);
  }
}
