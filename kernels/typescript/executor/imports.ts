import { createRequire, isBuiltin } from "node:module";
import { join } from "node:path";
import { constants, Script } from "node:vm";
import type * as TS from "typescript";
import { cellFile, type LocalModules } from "./compiler/local-modules.js";
import type { TslabTypeScript } from "./compiler/typescript.js";
import type { OfferedPackage } from "./packages.js";

type Require = (id: string) => unknown;

/** `require` of an ES module says so with one of these; `import()` can load it. */
const NEEDS_IMPORT = new Set([
  "ERR_REQUIRE_ESM",
  "ERR_REQUIRE_ASYNC_MODULE",
  "ERR_PACKAGE_PATH_NOT_EXPORTED",
  "ERR_REQUIRE_CYCLE_MODULE",
]);

/**
 * What cells import: local files as the compiler made them, packages whatever their format. Cells run as CommonJS; a package
 * that `require` cannot load is imported before the cell runs, and handed to it when it asks.
 */
export class Imports {
  readonly #modules: LocalModules;
  readonly #cwd: string;
  readonly #packages: readonly OfferedPackage[];
  readonly #imported = new Map<string, unknown>();
  readonly #importFromHere: (id: string) => Promise<unknown>;
  readonly #onTslab: () => void;
  /** tslab's own `require`. */
  #tslab: Require;

  /** `packages` are at hand where they are not installed; `onTslab` is called before a cell gets tslab's own module. */
  constructor(modules: LocalModules, cwd: string, packages: readonly OfferedPackage[], onTslab: () => void) {
    this.#packages = packages;
    this.#modules = modules;
    this.#cwd = cwd;
    this.#onTslab = onTslab;
    this.#tslab = createRequire(join(cwd, "cell.js"));
    // Node looks for what a script imports beside the script's file, which need not exist.
    this.#importFromHere = (id) =>
      new Script(`import(${JSON.stringify(id)})`, {
        filename: join(cwd, "cell.mjs"),
        importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      }).runInThisContext() as Promise<unknown>;
  }

  /** Takes the `require` that tslab's executor made for cells (it knows `tslab`), and returns the one they get. */
  around(require: Require): Require {
    this.#tslab = require;
    return (id) => this.#require(id, cellFile(this.#cwd));
  }

  /** `import()` in a cell. */
  async importModule(id: string): Promise<unknown> {
    if (!this.#canRequire(id)) await this.#import(id);
    const loaded = this.#require(id, cellFile(this.#cwd));
    return asNamespace(loaded);
  }

  /** Loads what a cell imports and `require` cannot, after its types were found right and before it runs. */
  async prepare(ts: TslabTypeScript, source: string): Promise<void> {
    for (const id of importedNames(ts, source)) {
      if (!this.#canRequire(id)) await this.#import(id).catch(() => undefined); // The cell meets the error itself.
    }
  }

  #require(id: string, from: string): unknown {
    if (this.#imported.has(id)) return this.#imported.get(id);
    if (id === "tslab") this.#onTslab();
    const local = this.#modules.load(id, from, (inner, path) => this.#require(inner, path));
    if (local) return local.exports;
    const offered = this.#packages.find(({ name }) => name === id);
    if (offered && !this.#resolves(id, from)) return createRequire(import.meta.url)(offered.folder);
    return from === cellFile(this.#cwd) ? this.#tslab(id) : createRequire(from)(id);
  }

  /** Requires a package as a trial, which is what the cell is about to do anyway; files are the cell's own business. */
  #canRequire(id: string): boolean {
    if (id === "tslab" || /^[./\\]/.test(id) || isBuiltin(id) || this.#imported.has(id)) return true;
    try {
      this.#require(id, cellFile(this.#cwd));
      return true;
    } catch (error) {
      return !NEEDS_IMPORT.has((error as NodeJS.ErrnoException).code ?? "");
    }
  }

  async #import(id: string): Promise<void> {
    this.#imported.set(id, await withoutWarning(() => this.#importFromHere(id)));
  }

  #resolves(id: string, from: string): boolean {
    try {
      createRequire(from).resolve(id);
      return true;
    } catch {
      return false;
    }
  }
}

/** The packages that the import declarations of a cell name. */
function importedNames(ts: TslabTypeScript, source: string): string[] {
  if (!source.includes("import")) return [];
  const file = ts.createSourceFile("cell.ts", source, ts.ScriptTarget.Latest);
  return file.statements
    .filter(
      (one): one is TS.ImportDeclaration => ts.isImportDeclaration(one) && !one.importClause?.isTypeOnly,
    )
    .map(({ moduleSpecifier }) => (moduleSpecifier as TS.StringLiteral).text);
}

/** Node calls the way in which a script imports experimental, which is nothing that a cell could change. */
async function withoutWarning<T>(run: () => Promise<T>): Promise<T> {
  const emit: unknown = Reflect.get(process, "emitWarning");
  process.emitWarning = (...given: [string | Error, ...unknown[]]) => {
    if (String(given[0]).includes("USE_MAIN_CONTEXT_DEFAULT_LOADER")) return;
    Reflect.apply(emit as typeof process.emitWarning, process, given);
  };
  try {
    return await run();
  } finally {
    Reflect.set(process, "emitWarning", emit);
  }
}

/** What `import()` of a CommonJS module gives: its names, and itself as `default`. */
function asNamespace(loaded: unknown): unknown {
  if (typeof loaded !== "object" && typeof loaded !== "function") return { default: loaded };
  if (loaded === null) return { default: null };
  if ("__esModule" in loaded || Object.prototype.toString.call(loaded) === "[object Module]") return loaded;
  const namespace: Record<string, unknown> = {};
  for (const key of Object.keys(loaded)) {
    if (key !== "default") {
      Object.defineProperty(namespace, key, {
        enumerable: true,
        get: () => (loaded as Record<string, unknown>)[key],
      });
    }
  }
  namespace["default"] = loaded;
  return namespace;
}
