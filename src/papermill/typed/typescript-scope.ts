import type ts from "typescript";
import type { ParameterValue } from "../options.js";

/** The parser, handed over by whoever loaded it: it is large and loaded only when a notebook is read. */
export type TypeScript = typeof ts;

/** What a parameters cell declares at its top level, by name, for types and defaults that refer to it. */
export interface Scope {
  ts: TypeScript;
  types: ReadonlyMap<string, ts.TypeAliasDeclaration | ts.InterfaceDeclaration>;
  enums: ReadonlyMap<string, readonly EnumMember[]>;
  constants: ReadonlyMap<string, ts.Expression>;
}

export interface EnumMember {
  name: string;
  /** undefined: computed in a way that cannot be read off. */
  value: string | number | undefined;
}

export function scopeOf(ts: TypeScript, file: ts.SourceFile): Scope {
  const types = new Map<string, ts.TypeAliasDeclaration | ts.InterfaceDeclaration>();
  const enums = new Map<string, readonly EnumMember[]>();
  const constants = new Map<string, ts.Expression>();
  const scope = { ts, types, enums, constants };
  for (const statement of file.statements) {
    if (ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement)) {
      types.set(statement.name.text, statement);
    } else if (ts.isEnumDeclaration(statement)) {
      enums.set(statement.name.text, enumMembers(scope, statement));
    } else if (ts.isVariableStatement(statement) && statement.declarationList.flags & ts.NodeFlags.Const) {
      for (const { name, initializer } of statement.declarationList.declarations) {
        if (ts.isIdentifier(name) && initializer) constants.set(name.text, initializer);
      }
    }
  }
  return scope;
}

function enumMembers(scope: Scope, declaration: ts.EnumDeclaration): EnumMember[] {
  let next: number | undefined = 0;
  return declaration.members.map(({ name, initializer }): EnumMember => {
    const read = initializer ? literalValue(scope, initializer)?.value : next;
    const value = typeof read === "string" || typeof read === "number" ? read : undefined;
    next = typeof value === "number" ? value + 1 : undefined;
    return { name: scope.ts.isComputedPropertyName(name) ? name.getText() : name.text, value };
  });
}

/**
 * The value of an expression that is written out: literals, lists and objects of them, constants and enum members of
 * the same cell. undefined for one that has to be computed.
 */
export function literalValue(
  scope: Scope,
  node: ts.Expression,
  resolving: readonly string[] = [],
): { value: ParameterValue } | undefined {
  const { ts } = scope;
  const inner = withoutWrapping(scope, node);
  if (inner !== node) return literalValue(scope, inner, resolving);
  if (ts.isStringLiteralLike(node)) return { value: node.text };
  if (ts.isNumericLiteral(node)) return { value: Number(node.text) };
  if (ts.isBigIntLiteral(node)) return { value: BigInt(node.text.replace(/n$/, "")) };
  if (ts.isPrefixUnaryExpression(node)) return signed(scope, node, resolving);
  if (node.kind === ts.SyntaxKind.TrueKeyword) return { value: true };
  if (node.kind === ts.SyntaxKind.FalseKeyword) return { value: false };
  if (node.kind === ts.SyntaxKind.NullKeyword) return { value: null };
  if (ts.isIdentifier(node)) return ofName(scope, node.text, resolving);
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    const member = scope.enums.get(node.expression.text)?.find(({ name }) => name === node.name.text);
    return member?.value === undefined ? undefined : { value: member.value };
  }
  if (ts.isArrayLiteralExpression(node)) {
    const elements = node.elements.map((element) => literalValue(scope, element, resolving));
    return elements.includes(undefined) ? undefined : { value: elements.map((each) => each?.value) };
  }
  if (ts.isObjectLiteralExpression(node)) return ofObject(scope, node, resolving);
  return undefined;
}

/** Without parentheses and what only the checker sees: `as`, `satisfies`, `!`. */
export function withoutWrapping({ ts }: Scope, node: ts.Expression): ts.Expression {
  return ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node) ||
    ts.isTypeAssertionExpression(node) ||
    ts.isNonNullExpression(node)
    ? node.expression
    : node;
}

function signed(
  scope: Scope,
  { operator, operand }: ts.PrefixUnaryExpression,
  resolving: readonly string[],
): { value: ParameterValue } | undefined {
  const value = literalValue(scope, operand, resolving)?.value;
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  if (operator === scope.ts.SyntaxKind.MinusToken) return { value: -value };
  return operator === scope.ts.SyntaxKind.PlusToken && typeof value === "number" ? { value } : undefined;
}

function ofName(
  scope: Scope,
  name: string,
  resolving: readonly string[],
): { value: ParameterValue } | undefined {
  const constant = scope.constants.get(name);
  if (constant) {
    return resolving.includes(name) ? undefined : literalValue(scope, constant, [...resolving, name]);
  }
  return BUILT_IN.has(name) ? { value: BUILT_IN.get(name) } : undefined;
}

const BUILT_IN = new Map<string, ParameterValue>([
  ["undefined", undefined],
  ["NaN", NaN],
  ["Infinity", Infinity],
]);

function ofObject(
  scope: Scope,
  node: ts.ObjectLiteralExpression,
  resolving: readonly string[],
): { value: ParameterValue } | undefined {
  const { ts } = scope;
  const entries: [string, ParameterValue][] = [];
  for (const property of node.properties) {
    if (!ts.isPropertyAssignment(property)) return undefined;
    const { name, initializer } = property;
    const read = literalValue(scope, initializer, resolving);
    const key = ts.isComputedPropertyName(name) ? name.expression : name;
    if (!read || !(ts.isIdentifier(key) || ts.isStringLiteralLike(key) || ts.isNumericLiteral(key))) {
      return undefined;
    }
    if (key !== name && ts.isIdentifier(key)) return undefined; // computed
    entries.push([key.text, read.value]);
  }
  return { value: Object.fromEntries(entries) };
}
