import { createRequire, isBuiltin, Module } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { compileFunction, constants, Script } from "node:vm";
import type { CellImport, ImportedFile, LocalModule } from "../wire/index.js";
import type { OfferedPackage } from "./packages.js";
import type { Places } from "./places.js";
import { bindSlot } from "./slots.js";

/** `require` of an ES module says so with one of these; `import()` can load it. */
const NEEDS_IMPORT = new Set([
  "ERR_REQUIRE_ESM",
  "ERR_REQUIRE_ASYNC_MODULE",
  "ERR_PACKAGE_PATH_NOT_EXPORTED",
  "ERR_REQUIRE_CYCLE_MODULE",
]);

/** What code in CommonJS finds, in the order of {@link Modules.commonJs}. */
export const COMMON_JS = ["exports", "require", "module", "__filename", "__dirname"] as const;

/** A local module that runs or has run. */
interface Loaded {
  module: NodeJS.Module;
  /** Of one that awaits at its top level. */
  done: Promise<void> | undefined;
}

export interface ModulesOptions {
  cwd: string;
  /** At hand where they are not installed. */
  packages: readonly OfferedPackage[];
  /** Where errors in local modules are led back by. */
  places: Places;
  /** Asks the compiler for the local file that a specifier means in another file. */
  find: (this: void, specifier: string, from: string) => Promise<ImportedFile | undefined>;
  /** Called before a cell gets tslab's own module. */
  onTslab: (this: void) => void;
}

/**
 * What cells import: local files as the compiler made them, run again when they or what they import have changed, and
 * packages whatever their format. Code runs as CommonJS; a package that `require` cannot load is imported beforehand.
 */
export class Modules {
  /** The file that cells seem to be in. */
  readonly cell: string;
  readonly #options: ModulesOptions;
  readonly #known = new Map<string, LocalModule>();
  readonly #loaded = new Map<string, Loaded>();
  readonly #importers = new Map<string, Set<string>>();
  readonly #imported = new Map<string, unknown>();
  readonly #links: Record<string, string> = {};

  constructor(options: ModulesOptions) {
    this.#options = options;
    this.cell = join(options.cwd, "cell.ts");
  }

  /** Whether a path is a local file's that cells import. */
  has(path: string): boolean {
    return this.#known.has(path);
  }

  /** Takes local files, new or changed, and what a cell calls them. */
  take(modules: readonly LocalModule[], links: Readonly<Record<string, string>>): void {
    for (const module of modules) {
      // A compiler that was started anew does not know what is here.
      if (isDeepStrictEqual(this.#known.get(module.path), module)) continue;
      this.#forget(module.path);
      this.#known.set(module.path, module);
      if (!module.json) this.#options.places.add(module.path, module.script.maps);
    }
    Object.assign(this.#links, links);
  }

  /** Loads what a cell imports, in order, and binds its names. */
  async importInto(imports: readonly CellImport[]): Promise<void> {
    for (const { specifier, bindings } of imports) {
      const loaded = await this.#load(specifier, this.cell);
      for (const [name, member] of Object.entries(bindings)) bindSlot(name, () => memberOf(loaded(), member));
    }
  }

  /** `import()`. */
  async import(given: unknown, from = this.cell): Promise<unknown> {
    const specifier = String(given);
    const loaded = await this.#load((await this.#found(specifier, from)) ?? specifier, from);
    return asNamespace(loaded());
  }

  /** The path of a local file of which the compiler has not heard, or not of late: the running code has made its name up. */
  async #found(specifier: string, from: string): Promise<string | undefined> {
    const path = specifier.startsWith("file:") ? fileURLToPath(specifier) : specifier;
    if (!/^[./\\]/.test(path) || this.#linksOf(from)?.[specifier] !== undefined) return undefined;
    const file = await this.#options.find(path, from);
    if (file) this.take(file.modules, {});
    return file?.path;
  }

  /** What CommonJS finds in a cell: `require`, `module`, … */
  commonJs(): unknown[] {
    return this.#commonJs(this.#module(this.cell));
  }

  #commonJs(module: NodeJS.Module): unknown[] {
    const { exports, filename } = module as { exports: unknown; filename: string };
    return [exports, Reflect.get(module, "require"), module, filename, dirname(filename)];
  }

  /** `import.meta` of a file. */
  metaOf(filename = this.cell): object {
    const { href } = pathToFileURL(filename);
    return {
      url: href,
      filename,
      dirname: dirname(filename),
      resolve: (specifier: string): string => {
        if (isBuiltin(specifier)) return specifier.startsWith("node:") ? specifier : `node:${specifier}`;
        if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, href).href;
        return pathToFileURL(this.#resolve(specifier, filename)).href;
      },
    };
  }

  /** Loads a module and whatever must be awaited for it; gives a way to its exports, which may be replaced later. */
  async #load(specifier: string, from: string): Promise<() => unknown> {
    const path = this.#localPath(specifier, from);
    if (path !== undefined) await this.#loadLocal(path, new Set());
    else if (!this.#canRequire(specifier, from)) {
      this.#imported.set(specifier, await importBeside(this.cell, specifier));
    }
    const exports = this.#require(specifier, from);
    const module = path === undefined ? undefined : this.#loaded.get(path)?.module;
    return () => (module ? (module.exports as unknown) : exports);
  }

  async #loadLocal(path: string, under: ReadonlySet<string>): Promise<void> {
    const known = this.#known.get(path);
    if (!known || under.has(path)) return;
    if (!this.#loaded.has(path)) {
      const within = new Set(under).add(path);
      for (const specifier of known.imports) {
        const local = this.#localPath(specifier, path);
        if (local !== undefined) await this.#loadLocal(local, within);
        // Whoever requires it meets the error.
        else if (!this.#canRequire(specifier, path)) await this.#load(specifier, path).catch(() => undefined);
      }
    }
    await (this.#loaded.get(path) ?? this.#run(known)).done;
  }

  #run({ path, script, awaits, json }: LocalModule): Loaded {
    const module = this.#module(path);
    const loaded: Loaded = { module, done: undefined };
    this.#loaded.set(path, loaded);
    try {
      if (json) module.exports = JSON.parse(script.code) as unknown;
      else {
        const [before, after] = awaits ? ["return (async () => {", "\n})()"] : ["", ""];
        const run = compileFunction(before + script.code + after, [...COMMON_JS], {
          filename: path,
          columnOffset: -before.length,
        });
        loaded.done = Reflect.apply(run, module.exports, this.#commonJs(module)) as Promise<void> | undefined;
        loaded.done?.catch(() => this.#loaded.delete(path));
      }
    } catch (error) {
      this.#loaded.delete(path);
      throw error;
    }
    return loaded;
  }

  #require(specifier: string, from: string): unknown {
    const path = this.#localPath(specifier, from);
    const known = path === undefined ? undefined : this.#known.get(path);
    if (path !== undefined && known) {
      this.#importers.set(path, (this.#importers.get(path) ?? new Set()).add(from));
      const loaded = this.#loaded.get(path);
      if (!loaded && known.awaits) {
        throw new Error(`${specifier} awaits at its top level: import it, it cannot be required`);
      }
      return (loaded ?? this.#run(known)).module.exports;
    }
    if (this.#imported.has(specifier)) return this.#imported.get(specifier);
    const own = createRequire(import.meta.url);
    if (specifier === "tslab") {
      this.#options.onTslab();
      return own("tslab");
    }
    const offered = this.#options.packages.find(({ name }) => name === specifier);
    return offered && !this.#resolves(specifier, from) ? own(offered.folder) : createRequire(from)(specifier);
  }

  /** Requires a package as a trial, which is what comes next anyway; files are the cell's own business. */
  #canRequire(specifier: string, from: string): boolean {
    if (/^[./\\]/.test(specifier) || isBuiltin(specifier) || this.#imported.has(specifier)) {
      return !/\.m[jt]s$/.test(specifier);
    }
    try {
      this.#require(specifier, from);
      return true;
    } catch (error) {
      return !NEEDS_IMPORT.has((error as NodeJS.ErrnoException).code ?? "");
    }
  }

  #localPath(specifier: string, from: string): string | undefined {
    const linked = this.#linksOf(from)?.[specifier];
    if (linked !== undefined) return linked;
    const path = /^[./\\]/.test(specifier) ? resolve(dirname(from), specifier) : undefined;
    return path !== undefined && this.#known.has(path) ? path : undefined;
  }

  #linksOf(from: string): Readonly<Record<string, string>> | undefined {
    return from === this.cell ? this.#links : this.#known.get(from)?.links;
  }

  #resolves(specifier: string, from: string): boolean {
    try {
      createRequire(from).resolve(specifier);
      return true;
    } catch {
      return false;
    }
  }

  #resolve(specifier: string, from: string): string {
    return this.#localPath(specifier, from) ?? createRequire(from).resolve(specifier);
  }

  #module(path: string): NodeJS.Module {
    const NodeModule = Module as unknown as {
      new (id: string): NodeJS.Module;
      _nodeModulePaths(folder: string): string[];
    };
    const module = new NodeModule(path);
    module.filename = path;
    module.paths = NodeModule._nodeModulePaths(dirname(path));
    const real = createRequire(path);
    const require = Object.assign((specifier: string) => this.#require(specifier, path), real, {
      resolve: Object.assign(
        (specifier: string, options?: { paths?: string[] }) =>
          options ? real.resolve(specifier, options) : this.#resolve(specifier, path),
        { paths: (request: string) => real.resolve.paths(request) },
      ),
    });
    Reflect.set(module, "require", require);
    return module;
  }

  /** Whoever imported what has changed must run again as well. */
  #forget(path: string): void {
    if (!this.#loaded.delete(path)) return;
    for (const importer of this.#importers.get(path) ?? []) this.#forget(importer);
  }
}

/** Node looks for what a script imports beside the script's file, which need not exist. */
function importBeside(file: string, specifier: string): Promise<unknown> {
  const script = new Script(`import(${JSON.stringify(specifier)})`, {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return withoutWarning(() => script.runInThisContext() as Promise<unknown>);
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

const isNamespace = (loaded: unknown): loaded is Record<string, unknown> =>
  typeof loaded === "object" &&
  loaded !== null &&
  ("__esModule" in loaded || Object.prototype.toString.call(loaded) === "[object Module]");

/** What an import binds a name to. */
function memberOf(loaded: unknown, member: string): unknown {
  if (member === "*") return asNamespace(loaded);
  if (member === "default" && !isNamespace(loaded)) return loaded;
  return (loaded as Record<string, unknown> | null | undefined)?.[member];
}

const namespaces = new WeakMap<object, object>();

/** What `import()` of a CommonJS module gives: its names, and itself as `default`. */
function asNamespace(loaded: unknown): unknown {
  if (isNamespace(loaded)) return loaded;
  if ((typeof loaded !== "object" && typeof loaded !== "function") || loaded === null)
    return { default: loaded };
  const made = namespaces.get(loaded);
  if (made) return made;
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
  namespaces.set(loaded, namespace);
  return namespace;
}
