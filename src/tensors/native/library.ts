import koffi from "koffi";
import { messageOf } from "@alignscope/base/errors";

/**
 * Opens a shared library by name or file.
 *
 * @throws Error with one line: the library that is missing (this one, or one that it needs) and why
 */
export function openLibrary(path: string): ReturnType<typeof koffi.load> {
  try {
    return koffi.load(path);
  } catch (error) {
    const [line = ""] = messageOf(error).split("\n");
    const reason = line.replace(/^Failed to load shared library: /, "");
    throw new Error(/^\S*\.so\S*: /.test(reason) ? reason : `${path}: ${reason}`);
  }
}
