import { accessSync, constants, existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import writeFileAtomicPackage from "write-file-atomic";
import { UserError, messageOf } from "@alignscope/base/errors";
import { parseNotebook, readNotebook } from "jupyter-wire";
import { lockOutput } from "../output-lock.js";
import { statOf } from "../stat.js";
import type { NotebookStore } from "./store.js";

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
    try {
      accessSync(folder, constants.W_OK);
    } catch {
      throw new UserError(`the output folder ${folder} cannot be written to: name another output`);
    }
    const there = statOf(path);
    if (there?.isDirectory()) throw new UserError(`the output ${path} is a folder, expected a file name`);
    if (there) checkAccess(path);
  },
  async write(path, text, final) {
    const plain = !isNoPlainFile(path);
    if (!plain && !final) return;
    try {
      if (!plain) return await writeFile(path, text);
      // Only what stays needs to survive a power cut: waiting for the disk after every cell would cost more than the cell.
      await writeFileAtomicPackage(path, text, { fsync: final });
    } catch (error) {
      throw new UserError(`cannot write ${path} (${messageOf(error)})`);
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
  try {
    accessSync(path, constants.W_OK);
  } catch {
    throw new UserError(`the output ${path} is there and cannot be written to: name another output`);
  }
}
