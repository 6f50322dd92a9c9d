import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import writeFileAtomicPackage from "write-file-atomic";
import { UserError, messageOf } from "../../data/errors";
import { parseNotebook, readNotebook } from "../../jupyter";
import { lockOutput } from "../output-lock";
import type { NotebookStore } from "./store";

/** Files: written aside and renamed, so that a reader never sees half a notebook. */
export const files: NotebookStore = {
  handles: () => true,
  // As in papermill, a notebook's text can stand in place of its path.
  read: (path) =>
    Promise.resolve(
      path.trimStart().startsWith("{") && !existsSync(path)
        ? parseNotebook(path, "the input")
        : readNotebook(path),
    ),
  checkWritable(path) {
    const folder = dirname(resolve(path));
    try {
      if (!statSync(folder).isDirectory()) throw new Error("not a folder");
    } catch {
      throw new UserError(`the output folder ${folder} does not exist: make it first`);
    }
    try {
      accessSync(folder, constants.W_OK);
    } catch {
      throw new UserError(`the output folder ${folder} cannot be written to`);
    }
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw new UserError(`the output ${path} is a folder, expected a file name`);
    try {
      if (there) accessSync(path, constants.W_OK);
    } catch {
      throw new UserError(`the output ${path} is there and cannot be written to`);
    }
  },
  async write(path, text, final) {
    try {
      // Only what stays needs to survive a power cut: waiting for the disk after every cell would cost more than the cell.
      await writeFileAtomicPackage(path, text, { fsync: final });
    } catch (error) {
      throw new UserError(`cannot write ${path} (${messageOf(error)})`);
    }
  },
  // More often nobody could look, and a notebook of many short cells would spend its time on writing.
  pace: 100,
  lock: lockOutput,
};
