import { createRequire } from "node:module";

export interface Watcher {
  close(): void;
}

/** The parts of tslab's TypeScript that are touched here. */
export interface Compiler {
  sys: {
    watchFile?(path: string, ...rest: unknown[]): Watcher;
    watchDirectory?(path: string, ...rest: unknown[]): Watcher;
  };
  createWatchCompilerHost(
    rootFiles: readonly string[],
    options: Record<string, unknown>,
    ...rest: unknown[]
  ): unknown;
}

/**
 * The very copy of TypeScript that tslab's converter takes, and where Node's module cache has it. Changes must come before
 * the converter is loaded.
 */
export function tslabCompiler(): { compiler: Compiler; module: NodeJS.Module } {
  const require = createRequire(__filename);
  const path = createRequire(require.resolve("tslab/dist/main.js")).resolve("@tslab/typescript-for-tslab");
  const compiler = require(path) as Compiler;
  const module = require.cache[path];
  if (!module) throw new Error(`${path} is not in the module cache`);
  return { compiler, module };
}
