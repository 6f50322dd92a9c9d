import { accessSync, constants, existsSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf, UserError } from "@alignscope/base/errors";
import { writeFileAtomicAsync } from "@alignscope/base/files";
import { takeLock } from "@alignscope/base/lock";
import { systemErrorInWords } from "@alignscope/base/system-errors";
import { type Notebook, parseNotebook, readNotebook } from "jupyter-wire";

/** Reads and writes notebooks at paths of one kind. */
export interface NotebookStore {
  handles(path: string): boolean;
  read(path: string): Promise<Notebook>;
  /** Throws a UserError when the path cannot be written: asked before any kernel starts. */
  checkWritable(path: string): void;
  /** Writes the text of a notebook's file; `final` is false for what is written while the run goes on. */
  write(path: string, text: string, final: boolean): Promise<void>;
  /** Milliseconds that must lie between two writes while a run goes on; the last write never waits. */
  pace?: number;
  /** Loads what writing will need, so that a package that is absent is heard of before the run. */
  prepare?(path: string): Promise<void>;
  /** Keeps other runs from writing the same path; returns what gives it free again. */
  lock?(path: string): () => void;
}

/** Files: written aside and renamed, so that a reader never sees half a notebook. */
export const files: NotebookStore = {
  handles: () => true,
  // As in papermill, a notebook's text can stand in place of its path.
  read: (path) => {
    if (path === "") throw new UserError("the input path is empty: name a notebook, or - for standard input");
    const isText = path.trimStart().startsWith("{") && !existsSync(path);
    return Promise.resolve(isText ? parseNotebook(path, "the input") : readNotebook(path));
  },
  checkWritable(path) {
    if (path === "") throw new UserError("the output path is empty: name a file, or - for standard output");
    if (isNoPlainFile(path)) return checkAccess(path);
    const folder = dirname(resolve(path));
    const folderThere = statOf(folder);
    if (folderThere && !folderThere.isDirectory()) {
      throw new UserError(`the output folder ${folder} is a file, expected a folder: name another output`);
    }
    if (!folderThere) throw new UserError(`the output folder ${folder} does not exist: make it first`);
    if (!isWritable(folder)) {
      throw new UserError(`the output folder ${folder} cannot be written to: name another output`);
    }
    const there = statOf(path);
    if (there?.isDirectory()) throw new UserError(`the output ${path} is a folder, expected a file name`);
    if (there) checkAccess(path);
  },
  async write(path, text, final) {
    if (!final && isNoPlainFile(path)) return;
    try {
      // Only what stays needs to survive a power cut: waiting for the disk after every cell would cost more than the cell.
      await writeFileAtomicAsync(path, text, { durable: final });
    } catch (error) {
      throw new UserError(systemErrorInWords(error) ?? `cannot write ${path} (${messageOf(error)})`);
    }
  },
  // More often nobody could look, and a notebook of many short cells would spend its time on writing.
  pace: 100,
  // What is no plain file belongs to everybody: any number of runs may write to /dev/null.
  lock: (path) => (isNoPlainFile(path) ? () => undefined : lockOutput(path)),
};

/**
 * Whether the path is a device or a pipe, such as /dev/null. These are written to, once: to rename a file over one would
 * put the file in its place.
 */
function isNoPlainFile(path: string): boolean {
  const there = statOf(path);
  return there !== undefined && !there.isFile() && !there.isDirectory();
}

function checkAccess(path: string): void {
  if (!isWritable(path)) {
    throw new UserError(`the output ${path} is there and cannot be written to: name another output`);
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** `-`: standard input and output. Only the finished notebook is written. */
export const standardStreams: NotebookStore = {
  handles: (path) => path === "-",
  read: () => Promise.resolve(parseNotebook(readFileSync(0, "utf8"), "standard input")),
  checkWritable: () => undefined,
  write: async (_path, text, final) => {
    if (!final) return;
    try {
      await new Promise<void>((done, fail) =>
        process.stdout.write(text, (error) => (error ? fail(error) : done())),
      );
    } catch (error) {
      throw new UserError(
        systemErrorInWords(error, "standard output") ?? `cannot write standard output (${messageOf(error)})`,
      );
    }
  },
};

/**
 * Keeps two runs from writing to one path at the same time: a file beside it says whose it is.
 *
 * @returns a function that gives the path free again
 * @throws UserError in one line while another run lives
 */
export function lockOutput(path: string): () => void {
  return takeLock(lockFileOf(path), { what: path, otherwise: "name another output" });
}

/** Beside the file that a link leads to, so that two names of one file have one lock. */
function lockFileOf(path: string): string {
  let real = resolve(path);
  try {
    real = realpathSync(real);
  } catch {
    real = join(realpathSync(dirname(real)), basename(real)); // It will be made.
  }
  return join(dirname(real), `.${basename(real)}.lock`);
}

const EXTENSIONS = [".ipynb", ".json"];

/**
 * What papermill says, in its own words, of a path that does not look like a notebook's; undefined for one that does.
 * Standard input and output, devices and a notebook's text in place of a path have no extension to lack.
 */
export function extensionWarning(path: string | null): string | undefined {
  if (path === null || path === "-" || path.trimStart().startsWith("{")) return undefined;
  const there = statOf(path);
  if (there && !there.isFile()) return undefined;
  const name = basename(path);
  const bare = name.split("?")[0] ?? "";
  if (!bare.includes(".")) return `the file is not specified with any extension : ${name}`;
  if (EXTENSIONS.some((extension) => bare.endsWith(extension))) return undefined;
  return `The specified file (${path}) does not end in one of ['.ipynb', '.json']`;
}

/** What lies at the path; undefined for nothing, also when a file stands where a folder on the way should be. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined; // `throwIfNoEntry: false` would still throw for the file on the way.
  }
}
