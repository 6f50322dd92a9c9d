import type TS from "typescript";
import { RESULT } from "../wire/names.js";
import { importedNames } from "./names.js";
import { ts } from "./typescript.js";

/** JavaScript as TypeScript makes it, with the source map that leads to what was written. */
export interface Transpiled {
  code: string;
  map: string;
}

/** What cells and local modules are lowered to: every Node that this kernel runs on knows it. */
const TARGET = ts.ScriptTarget.ES2022;

/** Options of a tsconfig that say what JavaScript is made, rather than what is right. */
const OF_OUTPUT = [
  "emitDecoratorMetadata",
  "experimentalDecorators",
  "jsx",
  "jsxFactory",
  "jsxFragmentFactory",
  "jsxImportSource",
  "useDefineForClassFields",
] as const;

/**
 * A cell's code as a JavaScript module of ES2022, less its types and the imports named in `types`. Imports that it does not
 * use stay: later cells may.
 */
export function transpileCell(
  code: string,
  file: string,
  options: TS.CompilerOptions,
  types: ReadonlySet<string>,
): Transpiled {
  return transpile(code, file, {
    compilerOptions: {
      ...outputOptions(options),
      module: ts.ModuleKind.ESNext,
      moduleDetection: ts.ModuleDetectionKind.Force,
      verbatimModuleSyntax: true,
    },
    transformers: { before: [giveResult, leaveOut(types)], after: [withoutExportLists] },
  });
}

/** A local file as CommonJS of ES2022; an `await` at its top level stays. */
export function transpileModule(text: string, path: string, options: TS.CompilerOptions): Transpiled {
  // JavaScript may be CommonJS already.
  const { Auto, Force } = ts.ModuleDetectionKind;
  const moduleDetection = /\.c?jsx?$/.test(path) ? Auto : Force;
  return transpile(text, path, {
    compilerOptions: {
      ...outputOptions(options),
      // Unlike CommonJS, this leaves `import()` as it is.
      module: ts.ModuleKind.Node16,
      moduleDetection,
      allowJs: true,
    },
  });
}

function outputOptions(options: TS.CompilerOptions): TS.CompilerOptions {
  return {
    ...Object.fromEntries(
      OF_OUTPUT.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
    ),
    target: TARGET,
    esModuleInterop: true,
    sourceMap: true,
    newLine: ts.NewLineKind.LineFeed,
  };
}

function transpile(text: string, fileName: string, given: TS.TranspileOptions): Transpiled {
  // By its extension TypeScript would leave an .mts file an ES module.
  const name = fileName.replace(/\.[cm]([jt]s)$/, ".$1");
  const { outputText, sourceMapText = "" } = ts.transpileModule(text, { ...given, fileName: name });
  return { code: outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, ""), map: sourceMapText };
}

/** `1 + 1` at the end becomes `result(1 + 1)`. */
const giveResult: TS.TransformerFactory<TS.SourceFile> =
  ({ factory }) =>
  (file) => {
    const last = file.statements.at(-1);
    if (!last || !ts.isExpressionStatement(last)) return file;
    const call = factory.createCallExpression(factory.createIdentifier(RESULT), undefined, [last.expression]);
    const statement = ts.setTextRange(factory.createExpressionStatement(ts.setTextRange(call, last)), last);
    return factory.updateSourceFile(file, [...file.statements.slice(0, -1), statement]);
  };

/** Leaves out the imports of those names, and what would be imported for them alone. */
function leaveOut(types: ReadonlySet<string>): TS.TransformerFactory<TS.SourceFile> {
  return ({ factory }) =>
    (file) => {
      const statements = file.statements.flatMap((one) => {
        if (!ts.isImportDeclaration(one) || !one.importClause) return [one];
        const all = importedNames(one);
        const kept = new Set(all.map(({ text }) => text).filter((text) => !types.has(text)));
        if (kept.size === all.length) return [one];
        if (kept.size === 0) return [];
        const { name, namedBindings, phaseModifier } = one.importClause;
        const clause = factory.updateImportClause(
          one.importClause,
          phaseModifier,
          name && kept.has(name.text) ? name : undefined,
          keptBindings(namedBindings, kept, factory),
        );
        return [
          factory.updateImportDeclaration(one, one.modifiers, clause, one.moduleSpecifier, one.attributes),
        ];
      });
      return factory.updateSourceFile(file, statements);
    };
}

function keptBindings(
  bindings: TS.NamedImportBindings | undefined,
  kept: ReadonlySet<string>,
  factory: TS.NodeFactory,
): TS.NamedImportBindings | undefined {
  if (!bindings) return undefined;
  if (ts.isNamespaceImport(bindings)) return kept.has(bindings.name.text) ? bindings : undefined;
  const elements = bindings.elements.filter(({ name }) => kept.has(name.text));
  return elements.length > 0 ? factory.updateNamedImports(bindings, elements) : undefined;
}

/** `export { a }` says nothing where all names are shared, and may name a type. */
const withoutExportLists: TS.TransformerFactory<TS.SourceFile> =
  ({ factory }) =>
  (file) => {
    const statements = file.statements.filter((one) => !ts.isExportDeclaration(one) || one.moduleSpecifier);
    return factory.updateSourceFile(file, statements);
  };

/** The imported names of a cell that stand for types alone. What is not found may be a value. */
export function importedTypes(file: TS.SourceFile, checker: TS.TypeChecker): Set<string> {
  const types = new Set<string>();
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    for (const name of importedNames(statement)) {
      const symbol = checker.getSymbolAtLocation(name);
      const isOnly = ts.isTypeOnlyImportDeclaration(name.parent);
      if (isOnly || (symbol && isType(symbol, checker))) types.add(name.text);
    }
  }
  return types;
}

function isType(symbol: TS.Symbol, checker: TS.TypeChecker): boolean {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  if (!(target.flags & ts.SymbolFlags.Value)) return true;
  if (
    !(target.flags & ts.SymbolFlags.ValueModule) ||
    target.declarations?.[0]?.kind !== ts.SyntaxKind.SourceFile
  ) {
    return false;
  }
  // `import * as T from "types"`
  const exports = checker.getExportsOfModule(target);
  return (
    exports.length > 0 &&
    target.exports?.has(ts.InternalSymbolName.ExportEquals) !== true &&
    exports.every((one) => isType(one, checker))
  );
}
