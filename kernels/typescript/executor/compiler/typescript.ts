import { createRequire } from "node:module";
import type * as TS from "typescript";

/** What tslab's copy of TypeScript, a fork of 5.0, has beyond the published interface, and what is replaced in it here. */
export interface TslabTypeScript extends Omit<typeof TS, "sys" | "createWatchCompilerHost"> {
  sys: TS.System;
  createWatchCompilerHost(
    rootFiles: string[],
    options: TS.CompilerOptions,
    ...rest: unknown[]
  ): TS.WatchCompilerHostOfFilesAndCompilerOptions<TS.EmitAndSemanticDiagnosticsBuilderProgram>;
  getTouchingPropertyName(file: TS.SourceFile, position: number): TS.Node;
  getQuickInfoAtPosition(
    file: TS.SourceFile,
    checker: TS.TypeChecker,
    token: unknown,
    position: number,
  ): TS.QuickInfo | undefined;
  getPreEmitDiagnosticsOfFiles(
    program: TS.Program,
    files: readonly TS.SourceFile[],
  ): readonly TS.Diagnostic[];
}

const ownRequire = createRequire(import.meta.url);
const tslabRequire = createRequire(ownRequire.resolve("tslab/dist/main.js"));

/** A file of tslab, e.g. `executor`; its own copies of packages stay its own. */
export function tslabModule(name: "converter" | "executor" | "jupyter" | "inspect" | "metadata"): unknown {
  return tslabRequire(`./${name}.js`);
}

/**
 * The very copy of TypeScript that tslab's converter takes, and where Node's module cache has it. Replacements must come
 * before the converter is loaded.
 */
export function tslabTypeScript(): { ts: TslabTypeScript; module: NodeJS.Module } {
  const path = tslabRequire.resolve("@tslab/typescript-for-tslab");
  const ts = tslabRequire(path) as TslabTypeScript;
  const module = tslabRequire.cache[path];
  if (!module) throw new Error(`${path} is not in the module cache`);
  return { ts, module };
}
