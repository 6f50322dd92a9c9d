import { readFileSync, statSync } from "node:fs";
import { isBuiltin } from "node:module";
import { basename, dirname, join } from "node:path";
import type TS from "typescript";
import { leanTypes } from "./lean-types.js";
import { ts } from "./typescript.js";

/** A file as the program last saw it; the version counts the texts it has had. */
interface KnownFile {
  /** The round in which it was looked at last. */
  round: number;
  stamp: string;
  version: number;
  text: string | undefined;
}

/** Part of it, as editors use it, is not in the published interface. */
interface ServiceHost extends TS.LanguageServiceHost {
  getModuleResolutionCache(): TS.ModuleResolutionCache;
  hasInvalidatedResolutions(path: string): boolean;
}

const TYPESCRIPT = dirname(ts.getDefaultLibFilePath({}));

/** Files that do not change while a kernel runs. */
const isFixed = (path: string): boolean =>
  path.startsWith(TYPESCRIPT) || /[\\/]node_modules[\\/]@types[\\/]node[\\/]/.test(path);

export const isPackaged = (path: string): boolean => /[\\/]node_modules[\\/]/.test(path);
export const isDeclaration = (path: string): boolean => /\.d\.[^.]+\.ts$|\.d\.[cm]?ts$/.test(path);

/** What a kernel's user does not write. */
const isForeign = (path: string): boolean => isPackaged(path) || isDeclaration(path);

/**
 * TypeScript's LanguageService over the files of the disk and over virtual ones, which go before them. Nothing is watched:
 * {@link look} begins a round, in which each file that is asked for is looked at once.
 */
export class Service {
  readonly language: TS.LanguageService;
  options: TS.CompilerOptions;
  readonly #given: TS.CompilerOptions;
  readonly #cwd: string;
  readonly #onPause: () => void;
  readonly #virtual = new Map<string, { text: string; version: number }>();
  readonly #files = new Map<string, KnownFile>();
  /** What declarations import from each other; it changes only when they go, or what was missing comes. */
  readonly #declared = new Map<string, TS.ResolvedModuleWithFailedLookupLocations>();
  readonly #missing = new Set<string>();
  readonly #roots: string[];
  readonly #entry: string;
  readonly #documents = ts.createDocumentRegistry(true);
  /** A program of its own over the same documents. */
  #ahead: TS.LanguageService | undefined;
  #round = 0;
  #versions = 0;
  #changes = 0;
  #fresh: TS.ModuleResolutionCache;
  #exists = new Map<string, boolean>();

  /**
   * `globals` is a file that is always part of the program; `onPause` is called again and again in long work, whenever the
   * parser is free.
   */
  constructor(
    cwd: string,
    globals: string,
    options: TS.CompilerOptions,
    onPause: () => void = () => undefined,
  ) {
    this.#cwd = cwd;
    this.#onPause = onPause;
    this.options = this.#given = options;
    this.#entry = join(cwd, "ts-jupyter-kernel-cells.ts");
    this.#roots = [globals, this.#entry];
    this.#fresh = ts.createModuleResolutionCache(cwd, (name) => name, options);
    this.start([]);
    this.language = ts.createLanguageService(this.#host(), this.#documents);
  }

  /** Files may have changed since they were looked at. */
  look(): void {
    this.#round++;
    this.#changed();
    this.#fresh = ts.createModuleResolutionCache(this.#cwd, (name) => name, this.options);
  }

  /**
   * Has the program consist of these virtual files, of the working directory, and what they import. They are imported by one
   * file: with always the same roots, TypeScript takes over what it knows of all others.
   */
  start(paths: readonly string[]): void {
    const names = paths.map((path) => basename(path).replace(/\.tsx?$/, ""));
    this.write(this.#entry, names.map((name) => `import "./${name}";\n`).join(""));
  }

  /** Has what these packages declare read and parsed, for the cell that imports them; until then no program is larger for it. */
  loadAhead(packages: readonly string[]): void {
    const entry = join(this.#cwd, "ts-jupyter-kernel-ahead.ts");
    this.write(entry, packages.map((name) => `import ${JSON.stringify(name)};\n`).join(""));
    this.#ahead = ts.createLanguageService(
      { ...this.#host(), getScriptFileNames: () => [entry] },
      this.#documents,
    );
    this.#ahead.getProgram();
  }

  get olderDecorators(): boolean {
    return this.options.experimentalDecorators === true;
  }

  /** Whether decorators are of the kind before the standard's, where the tsconfig does not say so already. */
  set olderDecorators(are: boolean) {
    const experimentalDecorators = are || this.#given.experimentalDecorators === true;
    if (experimentalDecorators === this.olderDecorators) return;
    this.options = { ...this.options, experimentalDecorators };
    this.#changed();
  }

  get program(): TS.Program {
    const program = this.language.getProgram();
    if (!program) throw new Error("TypeScript has made no program");
    return program;
  }

  write(path: string, text: string): void {
    this.#virtual.set(path, { text, version: ++this.#versions });
    this.#changed();
  }

  remove(path: string): void {
    this.#virtual.delete(path);
    this.#changed();
  }

  /** A file's text, and a number that is another one for another text. */
  read(path: string): { text: string; version: number } | undefined {
    const virtual = this.#virtual.get(path);
    if (virtual) return virtual;
    const { text, version } = this.#file(path);
    return text === undefined ? undefined : { text, version };
  }

  /** What a specifier in a file means now. */
  resolve(specifier: string, from: string, mode?: TS.ResolutionMode): TS.ResolvedModuleFull | undefined {
    return this.#resolve(specifier, from, mode).resolvedModule;
  }

  #changed(): void {
    this.#changes++;
    this.#exists.clear();
  }

  #resolve(
    specifier: string,
    from: string,
    mode: TS.ResolutionMode,
  ): TS.ResolvedModuleWithFailedLookupLocations {
    // A cell's import of another, which only generated code can mean.
    const sibling = `${from.slice(0, from.lastIndexOf("/") + 1)}${specifier.slice(2)}`;
    for (const extension of [ts.Extension.Ts, ts.Extension.Tsx]) {
      const path = sibling + extension;
      if (specifier.startsWith("./") && this.#virtual.has(path)) {
        return resolvedTo({ resolvedFileName: path, extension, isExternalLibraryImport: false });
      }
    }
    if (!isForeign(from)) {
      return ts.resolveModuleName(specifier, from, this.options, this.#disk, this.#fresh, undefined, mode);
    }
    const key = `${dirname(from)}\0${specifier}\0${mode ?? 0}`;
    const known = this.#declared.get(key);
    const file = known?.resolvedModule?.resolvedFileName;
    if (known && (file === undefined ? isBuiltin(specifier) : this.#fileExists(file))) return known;
    const found = ts.resolveModuleName(
      specifier,
      from,
      this.options,
      this.#disk,
      this.#fresh,
      undefined,
      mode,
    );
    this.#declared.set(key, found);
    if (!found.resolvedModule && !isBuiltin(specifier)) this.#missing.add(from);
    return found;
  }

  #file(path: string): KnownFile {
    const known = this.#files.get(path);
    if (known && (known.round === this.#round || (known.text !== undefined && isFixed(path)))) return known;
    const stats = statSync(path, { throwIfNoEntry: false });
    const stamp = stats?.isFile() ? `${stats.mtimeMs}:${stats.size}` : "";
    if (known?.stamp === stamp) {
      known.round = this.#round;
      return known;
    }
    const text = stamp === "" ? undefined : readText(path);
    const version = known && known.text === text ? known.version : ++this.#versions;
    const file = { round: this.#round, stamp, version, text };
    this.#files.set(path, file);
    return file;
  }

  #fileExists(path: string): boolean {
    if (this.#virtual.has(path)) return true;
    if (this.#files.get(path)?.round === this.#round) return this.#files.get(path)?.text !== undefined;
    let exists = this.#exists.get(path);
    if (exists === undefined) this.#exists.set(path, (exists = ts.sys.fileExists(path)));
    return exists;
  }

  readonly #disk: TS.ModuleResolutionHost = {
    fileExists: (path) => this.#fileExists(path),
    readFile: (path) => this.read(path)?.text,
    directoryExists: (path) => ts.sys.directoryExists(path),
    getDirectories: (path) => ts.sys.getDirectories(path),
    getCurrentDirectory: () => this.#cwd,
    useCaseSensitiveFileNames: true,
    realpath: (path) => ts.sys.realpath?.(path) ?? path,
  };

  #host(): ServiceHost {
    return {
      fileExists: (path) => this.#fileExists(path),
      readFile: (path) => this.read(path)?.text,
      directoryExists: (path) => ts.sys.directoryExists(path),
      getDirectories: (path) => ts.sys.getDirectories(path),
      readDirectory: (...given) => ts.sys.readDirectory(...given),
      realpath: (path) => ts.sys.realpath?.(path) ?? path,
      getCompilationSettings: () => this.options,
      getCurrentDirectory: () => this.#cwd,
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
      useCaseSensitiveFileNames: () => true,
      getProjectVersion: () => String(this.#changes),
      getScriptFileNames: () => this.#roots,
      getScriptVersion: (path) => String(this.#virtual.get(path)?.version ?? this.#file(path).version),
      getScriptSnapshot: (path) => {
        this.#onPause();
        const text = this.read(path)?.text;
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      // The checker asks between statements.
      getCancellationToken: () => ({
        isCancellationRequested: () => {
          this.#onPause();
          return false;
        },
      }),
      // Else each file of a program, at each cell, has its package.json read for itself.
      getModuleResolutionCache: () => this.#fresh,
      // What a file of the researcher's imports may be there by now, or have moved.
      hasInvalidatedResolutions: (path) => !isForeign(path) || this.#missing.has(path),
      resolveModuleNameLiterals: (literals, from, _redirected, options, file) =>
        literals.map((literal) =>
          this.#resolve(literal.text, from, ts.getModeForUsageLocation(file, literal, options)),
        ),
    };
  }
}

/** Only `resolvedModule` is TypeScript's interface; the service keeps its own fields in it as well. */
function resolvedTo(resolvedModule: TS.ResolvedModuleFull): TS.ResolvedModuleWithFailedLookupLocations {
  return { resolvedModule };
}

function readText(path: string): string | undefined {
  try {
    return leanTypes(path, readFileSync(path, "utf8").replace(/^\uFEFF/, ""));
  } catch {
    return undefined;
  }
}
