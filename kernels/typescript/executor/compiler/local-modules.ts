import { Module } from "node:module";
import { dirname, join } from "node:path";
import type * as TS from "typescript";
import type { TslabTypeScript } from "./typescript.js";

interface Emitted {
  code: string;
  /** Loaded from this code; undefined until a cell needs it, and again when the code has changed. */
  module?: LoadedModule;
}

interface LoadedModule {
  exports: unknown;
  /** Local modules that have imported this one. */
  importers: Set<string>;
}

interface CommonJsModule extends NodeJS.Module {
  _compile(code: string, filename: string): void;
}
interface ModuleInternals {
  new (id: string): CommonJsModule;
  _nodeModulePaths(folder: string): string[];
}

/**
 * The researcher's own files that cells import (TypeScript or JavaScript, in or outside the working directory) and tslab's
 * in-memory modules. The compiler hands over what it made of them; they run when they are first required, and again when
 * they, or what they import, have changed.
 */
export class LocalModules {
  readonly #emitted = new Map<string, Emitted>();
  readonly #ts: TslabTypeScript;
  readonly #options: () => TS.CompilerOptions;
  readonly #host: TS.ModuleResolutionHost;

  constructor(ts: TslabTypeScript, options: () => TS.CompilerOptions, host: TS.ModuleResolutionHost) {
    this.#ts = ts;
    this.#options = options;
    this.#host = host;
  }

  /** Takes the CommonJS code of a file, new or changed. */
  emit(path: string, code: string): void {
    this.#forget(path, new Set());
    this.#emitted.set(path, { code });
  }

  /** The exports of the local module that `specifier` means in the file `from`; undefined when it is none. */
  load(
    specifier: string,
    from: string,
    require: (id: string, from: string) => unknown,
  ): { exports: unknown } | undefined {
    const path = this.#resolve(specifier, from);
    const emitted = path === undefined ? undefined : this.#emitted.get(path);
    if (path === undefined || !emitted) return undefined;
    if (!emitted.module) {
      const NodeModule = Module as unknown as ModuleInternals;
      const module = new NodeModule(path);
      module.filename = path;
      module.paths = NodeModule._nodeModulePaths(dirname(path));
      module.require = ((id: string) => require(id, path)) as NodeJS.Require;
      const loaded: LoadedModule = {
        // Read anew each time: a module may replace its exports, and modules that import each other see them early.
        get exports(): unknown {
          return module.exports as unknown;
        },
        importers: new Set(),
      };
      emitted.module = loaded;
      try {
        module._compile(emitted.code, path);
      } catch (error) {
        delete emitted.module;
        throw error;
      }
    }
    if (this.#emitted.has(from)) emitted.module.importers.add(from);
    return { exports: emitted.module.exports };
  }

  /** Only what looks like a file, or what tsconfig's `paths` names, can be local. */
  #resolve(specifier: string, from: string): string | undefined {
    const named = Object.keys(this.#options().paths ?? {}).length > 0;
    if (!/^(\.{0,2}[\\/]|\.{1,2}$)/.test(specifier) && !named) return undefined;
    const { resolvedModule } = this.#ts.resolveModuleName(specifier, from, this.#options(), this.#host);
    return resolvedModule?.resolvedFileName;
  }

  /** Whoever imported what has changed must run again as well. */
  #forget(path: string, seen: Set<string>): void {
    const known = this.#emitted.get(path);
    if (!known?.module || seen.has(path)) return;
    seen.add(path);
    const { importers } = known.module;
    delete known.module;
    for (const importer of importers) this.#forget(importer, seen);
  }
}

/** A file beside which a cell's own imports are looked for. */
export function cellFile(cwd: string): string {
  return join(cwd, "__tslab__.ts");
}
