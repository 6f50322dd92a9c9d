import { createRequire } from "node:module";

/** The part of tslab's TypeScript that is touched here. */
interface Compiler {
  createWatchCompilerHost(
    rootFiles: readonly string[],
    options: Record<string, unknown>,
    ...rest: unknown[]
  ): unknown;
}

/**
 * Lets every cell see Node's global types and no others. tslab has TypeScript read all of node_modules/@types when it
 * starts, among them the browser's whole DOM through some package; what a cell imports is found without that.
 *
 * To be called before tslab's converter is loaded, which takes its compiler from Node's module cache.
 */
export function narrowAutomaticTypes(): void {
  const require = createRequire(__filename);
  const path = createRequire(require.resolve("tslab/dist/main.js")).resolve("@tslab/typescript-for-tslab");
  const compiler = require(path) as Compiler;
  const loaded = require.cache[path];
  if (!loaded) throw new Error(`${path} is not in the module cache`);
  loaded.exports = {
    ...compiler,
    createWatchCompilerHost: (rootFiles, options, ...rest) =>
      compiler.createWatchCompilerHost(rootFiles, { ...options, types: ["node"] }, ...rest),
  } satisfies Compiler;
}
