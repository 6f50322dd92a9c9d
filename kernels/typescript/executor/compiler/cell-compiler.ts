import { basename } from "node:path";
import type * as TS from "typescript";
import type { Converter, ConvertResult } from "tslab/dist/converter.js";
import type { OfferedPackage } from "../packages.js";
import { documentedQuickInfo, readLeanTypes } from "./lean-types.js";
import { cellFile, LocalModules } from "./local-modules.js";
import { cellOptions } from "./options.js";
import { cellScript, Places, takeMap } from "./places.js";
import { rewriteCell, rewriteModule } from "./rewrite.js";
import { tslabModule, tslabTypeScript, type TslabTypeScript } from "./typescript.js";
import { watchSourcesOnly } from "./watching.js";

/** tslab puts it before cells and in-memory modules, to make modules of them. */
const PREFIX = "export {};\n";

type Builder = TS.EmitAndSemanticDiagnosticsBuilderProgram;

/** A cell that may run, or what the compiler has against it. */
export type Compiled =
  { ok: true; converted: ConvertResult } | { ok: false; diagnostics: readonly TS.Diagnostic[] };

/**
 * Complaints that mean nothing for a cell: that a type cannot be named in a declaration file for others (2742 to 7056), that
 * a path ends in .ts (5097), that a package brings no types, which makes it `any` (7016).
 */
const UNTOLD = new Set([2742, 2883, 4058, 4060, 7056, 5097, 7016]);

/**
 * tslab's converter, which turns a cell of TypeScript into JavaScript for tslab's executor, with the compiler under it led
 * right: see {@link cellOptions} and {@link rewriteCell}. It keeps the compiler's own complaints, which the converter passes
 * on in part, and where each line of the JavaScript comes from.
 */
export class CellCompiler {
  readonly ts: TslabTypeScript;
  readonly places = new Places();
  readonly modules: LocalModules;
  readonly cwd: string;
  readonly #converter: Converter;
  #options!: TS.CompilerOptions;
  #complaints: readonly TS.Diagnostic[] = [];
  #execution = 0;
  /** The local module whose code is being made, if not a cell's. */
  #emitting: TS.SourceFile | undefined;
  #last: { prevDecl: string; source: string; result: ConvertResult } | undefined;
  /** What earlier cells have declared, as tslab's executor keeps it. */
  #declarations = "";

  /** To be made once, before anything else of tslab is loaded. */
  constructor(cwd: string, globals: string, packages: readonly OfferedPackage[]) {
    this.cwd = cwd;
    const { ts, module } = tslabTypeScript();
    this.ts = ts;
    watchSourcesOnly(ts.sys);
    readLeanTypes(ts.sys);
    const host: TS.ModuleResolutionHost = {
      fileExists: (path) => this.#host.fileExists(path),
      readFile: (path) => this.#host.readFile(path),
    };
    this.modules = new LocalModules(ts, () => this.#options, host);
    module.exports = this.#patched(globals, packages);
    const { createConverter } = tslabModule("converter") as typeof import("tslab/dist/converter.js");
    this.#converter = createConverter({ isJS: false, isBrowser: false });
    // The first program is the slow one; a first cell warms what the next ones need.
    this.#converter.convert("", "0");
  }

  /** Checks a cell and turns it into JavaScript, without running any of it. */
  compile(source: string, execution: number): Compiled {
    this.#execution = execution;
    const result = this.#convert(this.#declarations, source);
    const complaints = this.#complaints;
    if (complaints.length > 0) return { ok: false, diagnostics: complaints };
    return { ok: true, converted: result };
  }

  /** The converter that tslab's executor is given; what {@link compile} has just done is not done again. */
  forExecutor(): Converter {
    return {
      convert: (prevDecl, source) => {
        const last = this.#last;
        if (last?.prevDecl === prevDecl && last.source === source) return last.result;
        return this.#convert(prevDecl, source);
      },
      inspect: (...given) => this.#converter.inspect(...given),
      complete: (...given) => this.#converter.complete(...given),
      addModule: (...given) => this.#converter.addModule(...given),
      close: () => this.#converter.close(),
    };
  }

  /** A cell has run well: later ones see what it declares. */
  keepDeclarations(): void {
    if (this.#last) this.#declarations = this.#last.result.declOutput ?? "";
  }

  #convert(prevDecl: string, source: string): ConvertResult {
    this.#complaints = [];
    const result = this.#converter.convert(prevDecl, source);
    if (!result.hasToplevelAwait && this.#awaitsInLoop(source)) result.hasToplevelAwait = true;
    this.#last = { prevDecl, source, result };
    return result;
  }

  #host!: TS.WatchCompilerHostOfFilesAndCompilerOptions<Builder>;

  #patched(globals: string, packages: readonly OfferedPackage[]): TslabTypeScript {
    const { ts } = this;
    return {
      ...ts,
      createWatchCompilerHost: (rootFiles, options, ...rest) => {
        this.#options = cellOptions(ts, options, this.cwd, packages);
        this.#host = ts.createWatchCompilerHost([...rootFiles, globals], this.#options, ...rest);
        this.#wrapBuilders(this.#host);
        return this.#host;
      },
      createWatchProgram: ((host: TS.WatchCompilerHostOfFilesAndCompilerOptions<Builder>) => {
        const watch = ts.createWatchProgram(host);
        const update = watch.updateRootFileNames.bind(watch);
        watch.updateRootFileNames = (files) => update([...files, globals]);
        return watch;
      }) as unknown as typeof TS.createWatchProgram,
      getPreEmitDiagnosticsOfFiles: (program, files) => {
        // What belongs to no file is about the compiler's options, which are none of the cell's business.
        const heard = ts
          .getPreEmitDiagnosticsOfFiles(program, files)
          .filter((one) => one.file !== undefined && !UNTOLD.has(one.code));
        const awaits = heard.filter((one) => one.code === 1308 && this.#isTopLevelAwait(one));
        this.#complaints = heard.filter((one) => !awaits.includes(one));
        return heard;
      },
      getQuickInfoAtPosition: documentedQuickInfo(ts),
      transpileModule: (input, transpile) => this.#transpile(input, transpile),
    };
  }

  /** tslab takes each new builder from the host's `afterProgramCreate`, which it sets itself. */
  #wrapBuilders(host: TS.WatchCompilerHostOfFilesAndCompilerOptions<Builder>): void {
    let take: ((builder: Builder) => void) | undefined;
    Object.defineProperty(host, "afterProgramCreate", {
      get: () => take && ((builder: Builder) => take?.(this.#wrap(builder))),
      set: (given: (builder: Builder) => void) => (take = given),
    });
  }

  #wrap(builder: Builder): Builder {
    const cell = cellFile(this.cwd);
    const wrapped = Object.create(builder) as Builder;
    wrapped.emit = (file, write, cancel, declarationsOnly, transformers) => {
      if (!file || !write) return builder.emit(file, write, cancel, declarationsOnly, transformers);
      if (file.fileName === cell) {
        const checker = builder.getProgram().getTypeChecker();
        const earlier = builder.getSourceFile(cell.replace(/__tslab__\.ts$/, "__prev__.d.ts"));
        return builder.emit(
          file,
          // tslab expects the names that its own options would give.
          (name, text, ...rest) => write(`outDir/${basename(name)}`, text, ...rest),
          cancel,
          declarationsOnly,
          {
            ...transformers,
            after: [rewriteCell(this.ts, checker, earlier, this.#execution), ...(transformers?.after ?? [])],
          },
        );
      }
      return builder.emit(
        file,
        (name, text) => {
          if (!name.endsWith(".js")) return;
          this.#emitting = file;
          const { outputText } = this.#transpile(text, moduleOptions(this.ts, this.#options));
          this.#emitting = undefined;
          this.modules.emit(file.fileName, outputText);
        },
        cancel,
        declarationsOnly,
        { after: [rewriteModule(this.ts)] },
      );
    };
    return wrapped;
  }

  /** The second step, from a module's JavaScript to CommonJS: keeps the way back to what was written. */
  #transpile(input: string, options: TS.TranspileOptions): TS.TranspileOutput {
    const { code, map } = takeMap(input);
    const compilerOptions = { ...options.compilerOptions, sourceMap: true };
    const output = this.ts.transpileModule(code, { ...options, compilerOptions });
    const text = output.outputText.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n");
    const module = this.#emitting;
    const source = module?.fileName ?? cellScript(this.#execution);
    const prefixed = module === undefined || module.text.startsWith(PREFIX);
    if (map !== undefined && output.sourceMapText !== undefined) {
      this.places.add(source, [output.sourceMapText, map], prefixed);
    }
    return { ...output, outputText: module ? text : `${text}//# sourceURL=${source}\n` };
  }

  /** `for await` outside of a function, which tslab does not look for. */
  #awaitsInLoop(source: string): boolean {
    const { ts } = this;
    if (!/\bfor\s+await\b/.test(source)) return false;
    const look = (node: TS.Node): boolean =>
      (ts.isForOfStatement(node) && node.awaitModifier !== undefined) ||
      (!ts.isFunctionLike(node) && !ts.isClassLike(node) && (ts.forEachChild(node, look) ?? false));
    return look(ts.createSourceFile("cell.ts", source, ts.ScriptTarget.Latest));
  }

  /** An `await` of the cell itself, not of a function in it. */
  #isTopLevelAwait({ file, start }: TS.Diagnostic): boolean {
    const { ts } = this;
    if (file?.fileName !== cellFile(this.cwd) || start === undefined) return false;
    let top = true;
    const look = (node: TS.Node): void => {
      if (start < node.getFullStart() || start >= node.getEnd()) return;
      if (ts.isFunctionLike(node) || ts.isClassLike(node) || ts.isModuleDeclaration(node)) top = false;
      ts.forEachChild(node, look);
    };
    ts.forEachChild(file, look);
    return top;
  }
}

/** How the JavaScript of a module becomes one for `require`, as tslab does it for a cell. */
function moduleOptions(ts: TslabTypeScript, { target }: TS.CompilerOptions): TS.TranspileOptions {
  return {
    fileName: "module.js",
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
      newLine: ts.NewLineKind.LineFeed,
      ...(target === undefined ? {} : { target }),
    },
  };
}
