import ts from "typescript";
import { type CodeCell, hasTag, type Json, type Notebook } from "../jupyter";

/** A parameter as a notebook's cell tagged `parameters` declares it. */
export interface DeclaredParameter {
  name: string;
  /** The declared type as written, if there is one: `"masked" | "as-published"`. */
  type: string | undefined;
  /** The default's value; undefined when it is not a literal. */
  default: Json | undefined;
  /** Whether `value` may stand where the declared type is asked for. Types other than those of JSON accept anything. */
  accepts: (value: Json) => boolean;
}

/**
 * The parameters of a TypeScript notebook: the variables that the first cell tagged `parameters` declares at its top
 * level. A notebook without such a cell has none.
 */
export function declaredParameters(notebook: Notebook): DeclaredParameter[] {
  const cell = notebook.cells.find(
    (candidate): candidate is CodeCell => candidate.cell_type === "code" && hasTag(candidate, "parameters"),
  );
  if (!cell) return [];
  const source = ts.createSourceFile("parameters.ts", cell.source, ts.ScriptTarget.ES2022, true);
  return source.statements.filter(ts.isVariableStatement).flatMap((statement) =>
    statement.declarationList.declarations.flatMap((declaration): DeclaredParameter[] => {
      if (!ts.isIdentifier(declaration.name)) return []; // `const { a, b } = …` declares no parameter
      const { type, initializer } = declaration;
      const value = initializer && literal(initializer);
      return [
        {
          name: declaration.name.text,
          type: type?.getText(source),
          default: value,
          accepts: type
            ? (given) => accepts(type, given)
            : (given) => value === undefined || value === null || typeof given === typeof value,
        },
      ];
    }),
  );
}

/** The value of an expression that is written out in full; undefined for one that would have to be computed. */
function literal(node: ts.Expression): Json | undefined {
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) {
    return literal(node.expression);
  }
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (
    ts.isPrefixUnaryExpression(node) &&
    node.operator === ts.SyntaxKind.MinusToken &&
    ts.isNumericLiteral(node.operand)
  ) {
    return -Number(node.operand.text);
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) return true;
  if (node.kind === ts.SyntaxKind.FalseKeyword) return false;
  if (node.kind === ts.SyntaxKind.NullKeyword) return null;
  if (ts.isArrayLiteralExpression(node)) {
    const values = node.elements.map(literal);
    return values.includes(undefined) ? undefined : (values as Json[]);
  }
  if (ts.isObjectLiteralExpression(node)) {
    const result: { [key: string]: Json } = {};
    for (const property of node.properties) {
      if (!ts.isPropertyAssignment(property)) return undefined;
      const { name } = property;
      const value = literal(property.initializer);
      if (value === undefined || !(ts.isIdentifier(name) || ts.isStringLiteralLike(name))) return undefined;
      result[name.text] = value;
    }
    return result;
  }
  return undefined;
}

function accepts(type: ts.TypeNode, value: Json): boolean {
  if (ts.isParenthesizedTypeNode(type)) return accepts(type.type, value);
  if (ts.isUnionTypeNode(type)) return type.types.some((member) => accepts(member, value));
  if (ts.isArrayTypeNode(type)) {
    return Array.isArray(value) && value.every((element) => accepts(type.elementType, element));
  }
  if (ts.isTypeOperatorNode(type)) return accepts(type.type, value); // readonly string[]
  if (ts.isLiteralTypeNode(type)) return value === literal(type.literal as ts.Expression);
  switch (type.kind) {
    case ts.SyntaxKind.NumberKeyword:
      return typeof value === "number";
    case ts.SyntaxKind.StringKeyword:
      return typeof value === "string";
    case ts.SyntaxKind.BooleanKeyword:
      return typeof value === "boolean";
    case ts.SyntaxKind.UndefinedKeyword:
      return false; // no value can be given that means "none"; leaving the parameter out does
    default:
      return true;
  }
}
