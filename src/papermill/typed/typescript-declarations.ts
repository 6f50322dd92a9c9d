import type ts from "typescript";
import type { DeclaredParameter } from "./types.js";
import { literalValue, scopeOf, type Scope } from "./typescript-scope.js";
import { readType } from "./typescript-types.js";
import { ANY, choicesOf, typeOfValue, type ParameterType } from "./types.js";

/** The variables that a cell declares at its top level, read by TypeScript's own parser (loaded only when asked). */
export async function readDeclarations(
  source: string,
  language: "typescript" | "javascript",
): Promise<DeclaredParameter[]> {
  const { default: ts } = await import("typescript");
  const name = language === "typescript" ? "parameters.ts" : "parameters.js";
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.ES2022, true);
  const scope = scopeOf(ts, file);
  return file.statements.flatMap((statement) => {
    if (!ts.isVariableStatement(statement)) return [];
    const { declarations, flags } = statement.declarationList;
    const keyword = flags & ts.NodeFlags.Const ? "const" : flags & ts.NodeFlags.Let ? "let" : "var";
    return declarations.flatMap((declaration) =>
      ts.isIdentifier(declaration.name)
        ? [describe(scope, statement, declaration, declaration.name.text, keyword)]
        : [],
    );
  });
}

function describe(
  scope: Scope,
  statement: ts.VariableStatement,
  declaration: ts.VariableDeclaration,
  name: string,
  keyword: string,
): DeclaredParameter {
  const { ts } = scope;
  const { initializer } = declaration;
  const annotation = declaration.type ?? assertedType(scope, initializer);
  const documented = declaration.getSourceFile().fileName.endsWith(".js")
    ? ts.getJSDocType(declaration)
    : undefined;
  const read = initializer && literalValue(scope, initializer);
  const written = annotation ?? documented;
  const structure: ParameterType = written ? readType(scope, written) : read ? typeOfValue(read.value) : ANY;
  return {
    name,
    keyword,
    type: annotation?.getText(),
    defaultSource: initializer?.getText(),
    structure,
    ...(read ? { default: read.value } : {}),
    choices: choicesOf(structure),
    help: helpOf(scope, statement, declaration),
  };
}

/** `"small" as Size` says the type as well as an annotation does; `as const` does not. */
function assertedType({ ts }: Scope, node: ts.Expression | undefined): ts.TypeNode | undefined {
  if (!node) return undefined;
  const { type } = ts.isAsExpression(node) || ts.isSatisfiesExpression(node) ? node : {};
  return type?.getText() === "const" ? undefined : type;
}

/** The doc comment whole, tags included, and the comment at the end of the line. */
function helpOf(
  scope: Scope,
  statement: ts.VariableStatement,
  declaration: ts.VariableDeclaration,
): string | undefined {
  const { ts } = scope;
  const own = ts.getJSDocCommentsAndTags(declaration);
  const comments = (own.length > 0 ? own : ts.getJSDocCommentsAndTags(statement)).flatMap((doc) => {
    if (!ts.isJSDoc(doc)) return [];
    const tags = (doc.tags ?? []).filter((tag) => !ts.isJSDocTypeTag(tag));
    const tagTexts = tags.map((tag) =>
      `@${tag.tagName.text} ${ts.getTextOfJSDocComment(tag.comment) ?? ""}`.trim(),
    );
    return [ts.getTextOfJSDocComment(doc.comment) ?? "", ...tagTexts];
  });
  const text = [...comments, trailingComment(scope, statement, declaration)]
    .map((each) => each.trim())
    .filter((each) => each !== "");
  return text.length > 0 ? text.join("\n") : undefined;
}

function trailingComment(
  { ts }: Scope,
  statement: ts.VariableStatement,
  declaration: ts.VariableDeclaration,
): string {
  const file = statement.getSourceFile();
  const last = declaration === statement.declarationList.declarations.at(-1);
  const comma = /^\s*,/.exec(file.text.slice(declaration.end));
  const end = last ? statement.end : declaration.end + (comma?.[0].length ?? 0);
  const ranges = ts.getTrailingCommentRanges(file.text, end) ?? [];
  return ranges
    .map(({ pos, end: until, kind }) =>
      file.text.slice(pos + 2, kind === ts.SyntaxKind.MultiLineCommentTrivia ? until - 2 : until).trim(),
    )
    .join(" ");
}
