import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import writeFileAtomicPackage from "write-file-atomic";
import { UserError, messageOf } from "../data/errors";
import { formatNotebook, parseNotebook, readNotebook, type Notebook } from "../jupyter";

/** Reads and writes notebooks at paths of one kind. */
export interface NotebookStore {
  handles(path: string): boolean;
  read(path: string): Promise<Notebook>;
  /** Throws a UserError when the path cannot be written: asked before any kernel starts. */
  checkWritable(path: string): void;
  /** `final` is false for what is written while the run goes on. */
  write(path: string, notebook: Notebook, final: boolean): Promise<void>;
}

/** Files: written aside and renamed, so that a reader never sees half a notebook. */
const files: NotebookStore = {
  handles: () => true,
  read: (path) => Promise.resolve(readNotebook(path)),
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
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      throw new UserError(`the output ${path} is a folder, expected a file name`);
    }
  },
  async write(path, notebook, final) {
    try {
      // Only what stays needs to survive a power cut: waiting for the disk after every cell would cost more than the cell.
      await writeFileAtomicPackage(path, formatNotebook(notebook), { fsync: final });
    } catch (error) {
      throw new UserError(`cannot write ${path} (${messageOf(error)})`);
    }
  },
};

/** `-`: standard input and output. Only the finished notebook is written. */
const standardStreams: NotebookStore = {
  handles: (path) => path === "-",
  read: () => Promise.resolve(parseNotebook(readFileSync(0, "utf8"), "standard input")),
  checkWritable: () => undefined,
  write: (_path, notebook, final) =>
    new Promise((done, fail) => {
      if (!final) return done();
      process.stdout.write(formatNotebook(notebook), (error) => (error ? fail(error) : done()));
    }),
};

const stores: NotebookStore[] = [standardStreams, files];

/** Adds a store, e.g. for `s3://` paths; the last one added is asked first. */
export function registerNotebookStore(store: NotebookStore): void {
  stores.unshift(store);
}

/**
 * The store that takes the path.
 *
 * @throws UserError for a scheme nobody takes
 */
export function notebookStore(path: string): NotebookStore {
  const store = stores.find((each) => each.handles(path)) ?? files;
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(path)?.[1];
  if (store === files && scheme) {
    throw new UserError(
      `cannot read or write ${scheme}:// (expected a file, or - for standard input or output)`,
    );
  }
  return store;
}
