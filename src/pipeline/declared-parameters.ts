import ts from "typescript";
import { hasTag, type Json, type Notebook } from "../jupyter";
import { findTranslator } from "../runner";

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
 * The parameters of a notebook: the variables that its first cell tagged `parameters` declares at its top level. A
 * notebook without such a cell, or in a language whose cells the runner cannot read, has none.
 */
export async function declaredParameters(notebook: Notebook, kernel: string): Promise<DeclaredParameter[]> {
  const cell = notebook.cells.find((each) => each.cell_type === "code" && hasTag(each, "parameters"));
  const { language_info, kernelspec } = notebook.metadata;
  const translator = findTranslator(kernel, language_info?.name ?? kernelspec?.language ?? "typescript");
  if (!cell || !translator?.inspect) return [];
  return (await translator.inspect(cell.source)).map(({ name, type, defaultSource }): DeclaredParameter => {
    const node = type === undefined ? undefined : parse(`let it: ${type};`).type;
    const initializer =
      defaultSource === undefined ? undefined : parse(`let it = ${defaultSource};`).initializer;
    const value = initializer && literal(initializer);
    return {
      name,
      type,
      default: value,
      accepts: node
        ? (given) => accepts(node, given)
        : (given) => value === undefined || value === null || typeof given === typeof value,
    };
  });
}

/** The one declaration that `source` consists of; an empty one when it is not TypeScript. */
function parse(source: string): Partial<ts.VariableDeclaration> {
  const [statement] = ts.createSourceFile("it.ts", source, ts.ScriptTarget.ES2022, true).statements;
  const [declaration] =
    statement && ts.isVariableStatement(statement) ? statement.declarationList.declarations : [];
  return declaration ?? {};
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
  if (ts.isLiteralTypeNode(type)) return value === literal(type.literal);
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
