import { readFileSync } from "node:fs";
import { parseNotebook } from "jupyter-wire";
import type { NotebookStore } from "./store.js";

/** `-`: standard input and output. Only the finished notebook is written. */
export const standardStreams: NotebookStore = {
  handles: (path) => path === "-",
  read: () => Promise.resolve(parseNotebook(readFileSync(0, "utf8"), "standard input")),
  checkWritable: () => undefined,
  write: (_path, text, final) =>
    new Promise((done, fail) => {
      if (!final) return done();
      process.stdout.write(text, (error) => (error ? fail(error) : done()));
    }),
};
