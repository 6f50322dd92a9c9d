import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type TS from "typescript";
import type { CompiledCell, Compiled, ImportedFile } from "../wire/compiled.js";
import type { Bundle, Completions } from "../wire/messages.js";
import { cellScript } from "../wire/names.js";
import { Cells, DRAFT } from "./cells.js";
import { complete } from "./completion.js";
import { hover } from "./hover.js";
import { LocalModules, type RewriteModule } from "./local-modules.js";
import { namesOf, type CellNames } from "./names.js";
import { cellOptions, type TypedPackage } from "./options.js";
import { parseCell } from "./parse.js";
import { asProblem, problemsOf, withHint } from "./problems.js";
import { Service } from "./service.js";
import { importedTypes, transpileCell, type Transpiled } from "./transpile.js";
import { ts } from "./typescript.js";

/** How JavaScript becomes what the executor runs. */
export interface Rewriting {
  rewriteCell(
    script: Transpiled,
    options: { file: string; names: ReadonlySet<string>; earlier: ReadonlySet<string> },
  ): Pick<CompiledCell, "script" | "imports" | "declares" | "vars"> & { dynamic: string[] };
  rewriteModule: RewriteModule;
}

export interface LanguageOptions {
  /** Where cells look for what they import. */
  cwd: string;
  /** The declarations of what every cell finds without importing it. */
  globals: string;
  /** Packages that are at hand although they are not installed there. */
  packages: readonly TypedPackage[];
}

/** A cell that was compiled; if it did not come to its end, only the variables `assigned` have a value of it. */
export interface KnownCell {
  execution: number;
  code: string;
  assigned?: readonly string[] | undefined;
}

/** What TypeScript does for cells: checks and compiles them, completes and explains what is being written. */
export class Language {
  readonly #cwd: string;
  readonly #rewriting: Rewriting;
  readonly #service: Service;
  readonly #cells: Cells;
  readonly #modules: LocalModules;
  readonly #jsx: boolean;
  readonly #packages: readonly string[];
  /** The in-memory modules of cells that begin with `@module`, and the executions that have made them. */
  readonly #named = new Map<string, number>();

  /** `onPause` is called again and again in long work; it may parse. */
  constructor({ cwd, globals, packages }: LanguageOptions, rewriting: Rewriting, onPause?: () => void) {
    const { compiler, aliases, jsx } = cellOptions(cwd, [...packages, tslab()]);
    this.#cwd = cwd;
    this.#packages = packages.map(({ name }) => name);
    this.#jsx = jsx;
    this.#rewriting = rewriting;
    this.#service = new Service(cwd, globals, compiler, onPause);
    this.#cells = new Cells(this.#service, cwd, jsx);
    this.#modules = new LocalModules(this.#service, aliases, rewriting.rewriteModule);
  }

  /** Checks a cell and turns it into JavaScript. Later cells see its names at once, if there are no problems. */
  compile(code: string, execution: number): Compiled {
    this.#service.look();
    const syntax = parseCell(code, this.#jsx);
    if (syntax.parseDiagnostics.length > 0) {
      const problems = syntax.parseDiagnostics.map((one) => asProblem(one, () => execution));
      return { ok: false, problems: withHint(problems, code) };
    }
    const name = moduleName(code);
    if (name !== undefined) return this.#compileModule(join(this.#cwd, `${name}.ts`), code, execution);
    const names = namesOf(syntax);
    if (syntax.statements.length === 0)
      return { ok: true, cell: this.#emit("", execution, names, new Set(), new Set()) };
    const earlier = this.#cells.slots();
    try {
      this.#cells.add(execution, code, names);
      const path = this.#cells.path(execution);
      const find = (): TS.Diagnostic[] => {
        const { language, program } = this.#service;
        return problemsOf(language, program, this.#cells, this.#modules, { path, length: code.length });
      };
      let found = find();
      // Decorators of the older kind, as tslab's cells have them, are no others' concern.
      this.#service.olderDecorators = found.some(({ code: number }) => OF_DECORATORS.has(number));
      if (this.#service.olderDecorators) found = find();
      if (found.length > 0) {
        this.#cells.remove(execution);
        return {
          ok: false,
          problems: withHint(
            found.map((one) => this.#problem(one)),
            code,
          ),
        };
      }
      return { ok: true, cell: this.#emit(code, execution, names, earlier, this.#findTypes(execution)) };
    } catch (error) {
      this.#cells.remove(execution);
      this.#service.language.cleanupSemanticCache();
      throw error;
    } finally {
      this.#service.olderDecorators = false;
    }
  }

  /** Takes over cells that another thread has compiled. */
  restore(cells: readonly KnownCell[]): void {
    this.#service.look();
    for (const { execution, code, assigned } of cells) {
      const name = moduleName(code);
      if (name !== undefined) {
        this.#addModule(join(this.#cwd, `${name}.ts`), code, execution);
        continue;
      }
      const names = namesOf(parseCell(code, this.#jsx));
      this.#cells.add(execution, code, names);
      if ([...names.declared.values()].includes("import")) this.#findTypes(execution);
      this.#cells.settled(execution, assigned);
    }
  }

  /** A cell was not run: it leaves nothing. */
  forget(execution: number): void {
    this.#cells.remove(execution);
  }

  /** A cell has ended. If it did not come to its end, only the variables `assigned` have a value of it. */
  settled(execution: number, assigned?: readonly string[]): void {
    this.#cells.settled(execution, assigned);
  }

  /** The executor is a new one: names and modules are gone. */
  reset(): void {
    this.#cells.clear();
    this.#modules.reset();
    for (const path of this.#named.keys()) this.#service.remove(path);
    this.#named.clear();
  }

  /** The local file, as it is now, that a specifier means in the file `from`. */
  localFile(specifier: string, from: string): ImportedFile | undefined {
    this.#service.look();
    const links = this.#modules.links([specifier], from);
    const path = links[specifier];
    return path === undefined ? undefined : { path, modules: this.#modules.news(links) };
  }

  /** What may stand at a position of code that is being written. */
  complete(code: string, position: number): Completions {
    return complete(this.#service.language, this.#cells, this.#draft(code), code, position);
  }

  /** What is known of the name at a position. */
  hover(code: string, position: number): Bundle | undefined {
    return hover(this.#service.language, this.#draft(code), code, position);
  }

  /** Loads the types that every cell needs. */
  compileNothing(): void {
    this.compile("", DRAFT);
    this.#cells.remove(DRAFT);
  }

  /** Loads what the packages at hand declare: a cell will most likely import them. */
  loadPackages(): void {
    if (this.#packages.length > 0) this.#service.loadAhead(this.#packages);
  }

  /** Finds out which of a cell's imports are types. */
  #findTypes(execution: number): Set<string> {
    const { program } = this.#service;
    const file = program.getSourceFile(this.#cells.path(execution));
    const types = file ? importedTypes(file, program.getTypeChecker()) : new Set<string>();
    this.#cells.areTypes(execution, types);
    return types;
  }

  #draft(code: string): { path: string; offset: number } {
    this.#service.look();
    return this.#cells.draft(code, namesOf(parseCell(code, this.#jsx)));
  }

  #emit(
    code: string,
    execution: number,
    { declared, resets }: CellNames,
    earlier: ReadonlySet<string>,
    types: ReadonlySet<string>,
  ): CompiledCell {
    const file = cellScript(execution);
    const script = transpileCell(code, this.#cells.path(execution), this.#service.options, types);
    const { dynamic, ...cell } = this.#rewriting.rewriteCell(script, {
      file,
      names: new Set(declared.keys()),
      earlier,
    });
    const specifiers = [...cell.imports.map(({ specifier }) => specifier), ...dynamic];
    const links = this.#modules.links(specifiers, this.#cells.path(execution));
    return { ...cell, resets, modules: this.#modules.news(links), links };
  }

  /** A cell that is a module for others does nothing when it is run. */
  #compileModule(path: string, code: string, execution: number): Compiled {
    const before = this.#service.read(path)?.text;
    const shadows = this.#named.has(path);
    this.#addModule(path, code, execution);
    const { language } = this.#service;
    this.#service.start([...this.#cells.roots(), path]);
    const found = language.getSemanticDiagnostics(path).filter(isError);
    if (found.length === 0) {
      const names = namesOf(parseCell("", this.#jsx));
      return { ok: true, cell: this.#emit("", execution, names, new Set(), new Set()) };
    }
    const problems = found.map((one) => this.#problem(one));
    if (shadows && before !== undefined) {
      this.#service.write(path, before);
    } else {
      this.#service.remove(path);
      this.#named.delete(path);
    }
    return { ok: false, problems };
  }

  #addModule(path: string, code: string, execution: number): void {
    this.#service.write(path, code);
    this.#named.set(path, execution);
  }

  #problem(one: TS.Diagnostic): ReturnType<typeof asProblem> {
    return asProblem(one, (path) => this.#cells.executionOf(path) ?? this.#named.get(path));
  }
}

/** What TypeScript has against a decorator that is not of the standard's kind. */
const OF_DECORATORS = new Set([1206, 1238, 1239, 1240, 1241, 1270, 1271, 1329]);

const isError = ({ category }: TS.Diagnostic): boolean => category === ts.DiagnosticCategory.Error;

/** tslab's own module, whose cells run here as well. */
function tslab(): TypedPackage {
  const main = createRequire(import.meta.url).resolve("tslab");
  return { name: "tslab", types: join(dirname(main), "public.d.ts") };
}

/** The name of the module that a cell is to become, by `@module` in a doc comment at its beginning. */
function moduleName(code: string): string | undefined {
  for (const { pos, end } of ts.getLeadingCommentRanges(code, 0) ?? []) {
    const comment = code.slice(pos, end);
    const name = comment.startsWith("/**")
      ? /@module[ \t]+(\w+)[ \t]*(?:\r?\n|\*\/)/.exec(comment)?.[1]
      : undefined;
    if (name !== undefined) return name;
  }
  return undefined;
}
