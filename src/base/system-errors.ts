import { UserError } from "./errors.js";

/** What the system says when something cannot be written or opened, and what to do about it. */
const WORDS: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ENOSPC: ["no space is left on the disk", "make room and run the same command again"],
  EDQUOT: ["the disk quota is used up", "make room and run the same command again"],
  EFBIG: ["the file would be larger than allowed here", "raise the limit (ulimit -f), or write elsewhere"],
  EROFS: [
    "the file system is read-only",
    "write elsewhere, or copy this project to a disk that can be written",
  ],
  EACCES: ["this user may not", "make it accessible for this user, or write elsewhere"],
  EPERM: ["this user may not", "make it accessible for this user, or write elsewhere"],
  EMFILE: ["too many files are open", "raise the limit (ulimit -n) and run the same command again"],
  ENOTDIR: ["a file stands where a folder is expected", "remove it, or name another folder"],
  EEXIST: ["a file stands where a folder is expected", "remove it, or name another folder"],
  EISDIR: ["a folder stands where a file is expected", "remove it, or name another file"],
};

/**
 * One sentence for an error of the file system: what could not be done, why, and what to do. Undefined for every other
 * error.
 *
 * @param file what was written or read, where the error does not say
 * @example systemErrorInWords(error) // "cannot write outputs/lab/a.csv: no space is left on the disk: make room and …"
 */
export function systemErrorInWords(error: unknown, file = "a file"): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const words = WORDS[code ?? ""];
  if (words === undefined || syscall === undefined) return undefined;
  if (code === "EEXIST" && syscall !== "mkdir") return undefined; // of a file, somebody's mistake and no state of the disk
  const reads = syscall === "scandir" || syscall === "stat" || syscall === "lstat" || syscall === "read";
  const what = `cannot ${reads ? "read" : "open or write"} ${path ?? file}`;
  return `${what}: ${words[0]}; ${words[1]}`;
}

/**
 * Runs something that writes; where there is no room for it on the disk the error says so, and what to do.
 *
 * @param safe what is whole all the same, with a colon behind it
 * @throws UserError "… could not be written: no space is left on the disk; make room and start again"
 */
export async function explainFullDisk<T>(what: string, write: () => T | Promise<T>, safe = ""): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["ENOSPC", "EDQUOT", "EFBIG", "EROFS"].includes(code)) throw error;
    throw new UserError(
      `${what} could not be written: ${WORDS[code]?.[0]}; ${safe}make room and start again`,
      {
        cause: error,
      },
    );
  }
}
