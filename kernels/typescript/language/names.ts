import type TS from "typescript";
import { ts } from "./typescript.js";

/** What a name was declared as. */
export type NameKind =
  "let" | "const" | "function" | "class" | "enum" | "namespace" | "import" | "type" | "ambient";

/** What the top level of a cell declares, and what of earlier cells it may mean. */
export interface CellNames {
  declared: Map<string, NameKind>;
  /** Names under which it exports something by itself. */
  exported: Set<string>;
  mentioned: Set<string>;
  /** Whether it adds to what all cells share: `declare global`, `declare module "…"`. */
  global: boolean;
  /** Enums and namespaces that are there when it runs. */
  resets: string[];
}

/** Looks through a cell's code. */
export function namesOf(file: TS.SourceFile): CellNames {
  const names: CellNames = {
    declared: new Map(),
    exported: new Set(),
    mentioned: new Set(),
    global: false,
    resets: [],
  };
  for (const statement of file.statements) lookAtStatement(statement, names);
  lookForVars(file, names);
  lookForMentions(file, names.mentioned);
  return names;
}

function lookAtStatement(statement: TS.Statement, names: CellNames): void {
  const flags = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  const has = (kind: TS.SyntaxKind): boolean => flags.some((flag) => flag.kind === kind);
  const ambient = has(ts.SyntaxKind.DeclareKeyword);
  const declare = (name: string, kind: NameKind): void => {
    // A function beside its namespace, a class beside its interface: what has a value counts.
    const before = names.declared.get(name);
    if (before === undefined || before === "type") names.declared.set(name, ambient ? "ambient" : kind);
    if (has(ts.SyntaxKind.ExportKeyword) && !has(ts.SyntaxKind.DefaultKeyword)) names.exported.add(name);
  };
  if (ts.isVariableStatement(statement)) {
    const { declarationList } = statement;
    const fixed = (declarationList.flags & (ts.NodeFlags.Const | ts.NodeFlags.Using)) !== 0;
    for (const name of boundNames(declarationList)) declare(name, fixed ? "const" : "let");
  } else if (ts.isFunctionDeclaration(statement)) {
    if (statement.name) declare(statement.name.text, "function");
  } else if (ts.isClassDeclaration(statement)) {
    if (statement.name) declare(statement.name.text, "class");
  } else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
    declare(statement.name.text, "type");
  } else if (ts.isEnumDeclaration(statement)) {
    declare(statement.name.text, "enum");
    if (!ambient) names.resets.push(statement.name.text);
  } else if (ts.isModuleDeclaration(statement)) {
    if (!ts.isIdentifier(statement.name) || statement.flags & ts.NodeFlags.GlobalAugmentation) {
      names.global = true;
    } else {
      const valued = hasValue(statement);
      declare(statement.name.text, valued ? "namespace" : "type");
      if (valued && !ambient) names.resets.push(statement.name.text);
    }
  } else if (ts.isImportEqualsDeclaration(statement)) {
    declare(statement.name.text, "import");
  } else if (ts.isImportDeclaration(statement)) {
    for (const { text } of importedNames(statement)) declare(text, "import");
  } else if (ts.isExportDeclaration(statement) && statement.exportClause) {
    const { exportClause } = statement;
    const specifiers = ts.isNamedExports(exportClause) ? exportClause.elements : [exportClause];
    for (const { name } of specifiers) names.exported.add(name.text);
  }
}

/** Every name that an import declaration binds. */
export function importedNames({ importClause }: TS.ImportDeclaration): TS.Identifier[] {
  const { name, namedBindings } = importClause ?? {};
  const named = !namedBindings
    ? []
    : ts.isNamespaceImport(namedBindings)
      ? [namedBindings]
      : namedBindings.elements;
  return [...(name ? [name] : []), ...named.map((one) => one.name)];
}

function boundNames({ declarations }: TS.VariableDeclarationList): string[] {
  const inside = (name: TS.BindingName): string[] =>
    ts.isIdentifier(name)
      ? [name.text]
      : name.elements.flatMap((one) => (ts.isOmittedExpression(one) ? [] : inside(one.name)));
  return declarations.flatMap(({ name }) => inside(name)).filter((name) => name !== "");
}

/** `var`s in blocks and loops belong to the top level. */
function lookForVars(file: TS.SourceFile, { declared }: CellNames): void {
  const look = (node: TS.Node): void => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node) || ts.isModuleDeclaration(node)) return;
    if (ts.isVariableDeclarationList(node) && !(node.flags & ts.NodeFlags.BlockScoped)) {
      for (const name of boundNames(node)) if (!declared.has(name)) declared.set(name, "let");
    }
    ts.forEachChild(node, look);
  };
  ts.forEachChild(file, look);
}

function lookForMentions(file: TS.SourceFile, mentioned: Set<string>): void {
  const look = (node: TS.Node): void => {
    if (ts.isIdentifier(node)) mentioned.add(node.text);
    else if (ts.isPropertyAccessExpression(node)) look(node.expression);
    else ts.forEachChild(node, look);
  };
  ts.forEachChild(file, look);
}

/** Whether a namespace holds more than types. */
function hasValue({ body }: TS.ModuleDeclaration): boolean {
  if (!body) return false;
  if (ts.isModuleDeclaration(body)) return hasValue(body);
  if (!ts.isModuleBlock(body)) return true;
  return body.statements.some((one) =>
    ts.isModuleDeclaration(one)
      ? hasValue(one)
      : !ts.isInterfaceDeclaration(one) && !ts.isTypeAliasDeclaration(one),
  );
}
