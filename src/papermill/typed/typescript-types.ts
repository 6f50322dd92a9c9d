import type ts from "typescript";
import { literalValue, withoutWrapping, type EnumMember, type Scope } from "./typescript-scope.js";
import {
  ANY,
  membersOf,
  NULL,
  typeOfValue,
  typeText,
  unionOf,
  type FieldType,
  type LiteralValue,
  type ParameterType,
} from "./types.js";

/** What the parameters of a generic alias stand for, and which aliases are being read (one within itself is `any`). */
interface Reading {
  bound: ReadonlyMap<string, ParameterType>;
  within: readonly string[];
}

const START: Reading = { bound: new Map(), within: [] };

/** A type as written, with the aliases, interfaces, enums and constants of its cell filled in. */
export function readType(scope: Scope, node: ts.TypeNode, reading: Reading = START): ParameterType {
  const { ts } = scope;
  const read = (each: ts.TypeNode): ParameterType => readType(scope, each, reading);
  if (ts.isParenthesizedTypeNode(node)) return read(node.type);
  if (ts.isUnionTypeNode(node)) return unionOf(node.types.map(read));
  if (ts.isIntersectionTypeNode(node)) return intersectionOf(node.types.map(read));
  if (ts.isArrayTypeNode(node)) return { kind: "array", element: read(node.elementType) };
  if (ts.isTupleTypeNode(node)) return tupleOf(scope, node, read);
  if (ts.isTypeOperatorNode(node)) {
    if (node.operator === ts.SyntaxKind.ReadonlyKeyword) return read(node.type);
    return node.operator === ts.SyntaxKind.KeyOfKeyword ? keysOf(read(node.type)) : ANY;
  }
  if (ts.isLiteralTypeNode(node)) {
    const value = literalValue(scope, node.literal)?.value;
    return value === undefined ? ANY : { kind: "literal", value: value as LiteralValue };
  }
  if (ts.isTypeLiteralNode(node)) return objectOf(scope, node.members, read);
  if (ts.isTemplateLiteralTypeNode(node)) return { kind: "string" };
  if (ts.isTypeQueryNode(node)) return ofConstant(scope, node);
  if (ts.isIndexedAccessTypeNode(node)) return elementOf(scope, read(node.objectType), node.indexType, read);
  if (ts.isTypeReferenceNode(node)) return ofReference(scope, node, reading);
  switch (node.kind) {
    case ts.SyntaxKind.StringKeyword:
      return { kind: "string" };
    case ts.SyntaxKind.NumberKeyword:
      return { kind: "number" };
    case ts.SyntaxKind.BooleanKeyword:
      return { kind: "boolean" };
    case ts.SyntaxKind.BigIntKeyword:
      return { kind: "bigint" };
    case ts.SyntaxKind.UndefinedKeyword:
    case ts.SyntaxKind.VoidKeyword:
      return { kind: "undefined" };
    case ts.SyntaxKind.ObjectKeyword:
      return { kind: "object", fields: [], rest: ANY };
    default:
      return ANY;
  }
}

function tupleOf(
  { ts }: Scope,
  node: ts.TupleTypeNode,
  read: (node: ts.TypeNode) => ParameterType,
): ParameterType {
  const elements: ParameterType[] = [];
  let required = 0;
  let rest: ParameterType | undefined;
  for (const element of node.elements) {
    const named = ts.isNamedTupleMember(element);
    const type = named ? element.type : element;
    if (named ? element.dotDotDotToken : ts.isRestTypeNode(type)) {
      const list = read(ts.isRestTypeNode(type) ? type.type : type);
      rest = list.kind === "array" ? list.element : ANY;
      continue;
    }
    // What comes after the rest could stand anywhere: such a tuple is held to its elements' union only.
    if (rest) rest = unionOf([rest, read(type)]);
    else {
      const optional = named ? element.questionToken !== undefined : ts.isOptionalTypeNode(type);
      elements.push(read(ts.isOptionalTypeNode(type) ? type.type : type));
      if (!optional) required = elements.length;
    }
  }
  return { kind: "tuple", elements, required, rest };
}

function objectOf(
  { ts }: Scope,
  members: readonly ts.TypeElement[],
  read: (node: ts.TypeNode) => ParameterType,
): ParameterType & { kind: "object" } {
  const fields: FieldType[] = [];
  let rest: ParameterType | undefined;
  for (const member of members) {
    if (ts.isIndexSignatureDeclaration(member)) rest = read(member.type);
    const { name } = member;
    if (!name || !(ts.isIdentifier(name) || ts.isStringLiteralLike(name) || ts.isNumericLiteral(name)))
      continue;
    const type = ts.isPropertySignature(member) && member.type ? read(member.type) : ANY;
    fields.push({ name: name.text, type, optional: member.questionToken !== undefined });
  }
  return { kind: "object", fields, rest };
}

/** Objects are put together; of anything else the first part that says something counts (`string & { brand: 1 }`). */
function intersectionOf(types: readonly ParameterType[]): ParameterType {
  const objects = types.filter((type) => type.kind === "object");
  if (objects.length !== types.length)
    return types.find(({ kind }) => kind !== "object" && kind !== "any") ?? ANY;
  const rests = objects.flatMap(({ rest }) => (rest ? [rest] : []));
  const rest = rests.length > 0 ? unionOf(rests) : undefined;
  return { kind: "object", fields: mergeFields(objects.map(({ fields }) => fields)), rest };
}

function mergeFields(lists: readonly (readonly FieldType[])[]): FieldType[] {
  return [...new Map(lists.flat().map((field) => [field.name, field])).values()];
}

function ofReference(scope: Scope, node: ts.TypeReferenceNode, reading: Reading): ParameterType {
  const { ts } = scope;
  if (ts.isQualifiedName(node.typeName)) {
    const [owner, member] = [node.typeName.left.getText(), node.typeName.right.text];
    return enumOf(owner, scope.enums.get(owner)?.filter(({ name }) => name === member) ?? []);
  }
  const types = (node.typeArguments ?? []).map((each) => readType(scope, each, reading));
  return ofName(scope, node.typeName.text, types, reading);
}

function ofName(
  scope: Scope,
  name: string,
  types: readonly ParameterType[],
  reading: Reading,
): ParameterType {
  const { ts } = scope;
  const bound = reading.bound.get(name);
  if (bound) return bound;
  const members = scope.enums.get(name);
  if (members) return enumOf(name, members);
  const declaration = scope.types.get(name);
  if (!declaration) return utility(name, types);
  if (reading.within.includes(name)) return ANY;
  const parameters = (declaration.typeParameters ?? []).map((parameter, at): [string, ParameterType] => {
    const fallback = parameter.default ? readType(scope, parameter.default, reading) : ANY;
    return [parameter.name.text, types[at] ?? fallback];
  });
  const inside: Reading = { bound: new Map(parameters), within: [...reading.within, name] };
  if (ts.isTypeAliasDeclaration(declaration)) return readType(scope, declaration.type, inside);
  const own = objectOf(scope, declaration.members, (each) => readType(scope, each, inside));
  const parents = (declaration.heritageClauses ?? []).flatMap(({ types: extended }) =>
    extended.map(({ expression, typeArguments = [] }) =>
      ofName(
        scope,
        expression.getText(),
        typeArguments.map((each) => readType(scope, each, inside)),
        inside,
      ),
    ),
  );
  return parents.length > 0 ? intersectionOf([...parents, own]) : own;
}

function enumOf(owner: string, members: readonly EnumMember[]): ParameterType {
  if (members.length === 0) return ANY;
  return unionOf(
    members.map(({ name, value }): ParameterType => {
      const plain = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name);
      const source = plain ? `${owner}.${name}` : `${owner}[${JSON.stringify(name)}]`;
      return value === undefined ? ANY : { kind: "literal", value, source };
    }),
  );
}

/** TypeScript's own generic types, as far as they say what JSON can. */
function utility(name: string, [first = ANY, second = ANY]: readonly ParameterType[]): ParameterType {
  switch (name) {
    case "Array":
    case "ReadonlyArray":
      return { kind: "array", element: first };
    case "Readonly":
    case "NoInfer":
      return first;
    case "Record": {
      const keys = literalsOf(first);
      if (!keys) return { kind: "object", fields: [], rest: second };
      return {
        kind: "object",
        fields: keys.map((key) => ({ name: String(key), type: second, optional: false })),
      };
    }
    case "Partial":
    case "Required":
      if (first.kind !== "object") return ANY;
      return { ...first, fields: first.fields.map((field) => ({ ...field, optional: name === "Partial" })) };
    case "Pick":
    case "Omit": {
      const keys = literalsOf(second)?.map(String);
      if (first.kind !== "object" || !keys) return ANY;
      return {
        ...first,
        fields: first.fields.filter((field) => keys.includes(field.name) === (name === "Pick")),
      };
    }
    case "NonNullable":
    case "Exclude": {
      const without = name === "Exclude" ? second : unionOf([NULL, { kind: "undefined" }]);
      const excluded = membersOf(without).map(typeText);
      return unionOf(membersOf(first).filter((member) => !excluded.includes(typeText(member))));
    }
    default:
      return ANY;
  }
}

/** The values of a union of literals; undefined for any other type. */
function literalsOf(type: ParameterType): LiteralValue[] | undefined {
  const members = membersOf(type);
  const values = members.flatMap((member) => (member.kind === "literal" ? [member.value] : []));
  return values.length === members.length ? values : undefined;
}

function keysOf(type: ParameterType): ParameterType {
  if (type.kind !== "object" || type.rest) return type.kind === "object" ? { kind: "string" } : ANY;
  return unionOf(type.fields.map(({ name }) => ({ kind: "literal", value: name })));
}

/** `typeof constant`: with `as const` the very values, else what their kind is. */
function ofConstant(scope: Scope, node: ts.TypeQueryNode): ParameterType {
  const constant = scope.constants.get(node.exprName.getText());
  if (!constant) return ANY;
  const read = literalValue(scope, constant);
  if (!read) return ANY;
  return isAsConst(scope, constant) ? exactly(read.value) : typeOfValue(read.value, false);
}

function isAsConst(scope: Scope, node: ts.Expression): boolean {
  const { ts } = scope;
  if (ts.isAsExpression(node) && node.type.getText() === "const") return true;
  const inner = withoutWrapping(scope, node);
  return inner !== node && isAsConst(scope, inner);
}

function exactly(value: unknown): ParameterType {
  if (Array.isArray(value)) return { kind: "tuple", elements: value.map(exactly), required: value.length };
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, entry]) => ({
      name,
      type: exactly(entry),
      optional: false,
    }));
    return { kind: "object", fields };
  }
  return value === undefined ? { kind: "undefined" } : { kind: "literal", value: value as LiteralValue };
}

/** `T[number]`, `T["field"]`, `T[keyof T]`. */
function elementOf(
  { ts }: Scope,
  object: ParameterType,
  index: ts.TypeNode,
  read: (node: ts.TypeNode) => ParameterType,
): ParameterType {
  if (index.kind === ts.SyntaxKind.NumberKeyword) {
    if (object.kind === "array") return object.element;
    if (object.kind === "tuple") return unionOf([...object.elements, ...(object.rest ? [object.rest] : [])]);
    return ANY;
  }
  const keys = literalsOf(read(index));
  if (object.kind === "tuple" && keys) return unionOf(keys.map((key) => object.elements[Number(key)] ?? ANY));
  if (object.kind !== "object" || !keys) return ANY;
  return unionOf(
    keys.map((key) => object.fields.find(({ name }) => name === key)?.type ?? object.rest ?? ANY),
  );
}
