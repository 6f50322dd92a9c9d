import { tslabCompiler, type Compiler } from "./tslab-compiler";

/**
 * Lets every cell see Node's global types and no others. tslab has TypeScript read all of node_modules/@types when it
 * starts, among them the browser's whole DOM through some package; what a cell imports is found without that.
 *
 * To be called before tslab's converter is loaded, which takes its compiler from Node's module cache.
 */
export function narrowAutomaticTypes(): void {
  const { compiler, module } = tslabCompiler();
  module.exports = {
    ...compiler,
    createWatchCompilerHost: (rootFiles, options, ...rest) =>
      compiler.createWatchCompilerHost(rootFiles, { ...options, types: ["node"] }, ...rest),
  } satisfies Compiler;
}
