import type * as TS from "typescript";
import { tslabTypeScript } from "./typescript.js";

const DECLARATION = /\.d\.[cm]?ts$/;
const SOURCE = /\.[cm]?[jt]sx?$/;

/**
 * Whether a change of the file is to reach the cells: a helper that a cell imports as source, and that its researcher
 * edits beside the notebook.
 */
function isEditedByHand(path: string): boolean {
  return SOURCE.test(path) && !DECLARATION.test(path) && !path.split(/[/\\]/).includes("node_modules");
}

/**
 * Lets TypeScript watch the sources that cells import, and nothing else. By itself it also watches every folder where a
 * module might appear, every package.json and every declaration; tslab's clock holds one pending task only, so that a
 * library rebuilt under a running kernel leaves all later cells without an answer ("Unexpected pending rebuildTimer"). A
 * source's change asks for that one task. (A module that was not found is looked for again by each cell that imports it.)
 *
 * What tslab itself changes, the cells and their modules, is told to TypeScript, not watched.
 */
export function watchSourcesOnly(sys: TS.System = tslabTypeScript().ts.sys): void {
  const watchFile = sys.watchFile?.bind(sys);
  const unwatched: TS.FileWatcher = { close: () => undefined };
  sys.watchFile = (path, ...rest) =>
    watchFile && isEditedByHand(path) ? watchFile(path, ...rest) : unwatched;
  sys.watchDirectory = () => unwatched;
}
