import { UserError } from "@alignscope/base/errors";
import { files, type NotebookStore, standardStreams } from "./local.js";
import { gsStore, httpStore, s3Store } from "./remote.js";

const stores: NotebookStore[] = [standardStreams, httpStore(), s3Store(), gsStore(), files];

/**
 * Adds a store, e.g. for `adl://` paths; the last one added is asked first.
 *
 * @returns takes it out again
 */
export function registerNotebookStore(store: NotebookStore): () => void {
  stores.unshift(store);
  return () => void stores.splice(stores.indexOf(store), 1);
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
      `cannot read or write ${scheme}:// (expected a file, http://, https://, s3://, gs://, or - for standard input or output)`,
    );
  }
  return store;
}
