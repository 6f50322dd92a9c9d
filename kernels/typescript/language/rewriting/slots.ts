import { analyze, type Scope, type Variable } from "eslint-scope";
import type MagicString from "magic-string";
import { RUNTIME, slotOf, type CellImport } from "../../wire/index.js";
import { type AnyNode, isAnonymous, walk } from "./syntax.js";

/** The top level of a cell, its names turned into slots; see {@link CompiledCell}. */
export interface Slots {
  imports: CellImport[];
  declares: string[];
  vars: string[];
}

type Parents = ReadonlyMap<AnyNode, AnyNode>;

/**
 * Turns the top-level `names` of a cell, and those of `earlier` cells where it uses them, into slots (see wire/names.ts):
 * `const a = f(b)` becomes `(a = f(b))` with the slots of all three. So each name has one place for all cells and closures,
 * it is filled at the moment of the assignment, and any cell may declare it again. `mark(n)` after a declaration says that
 * the first n of `declares` are assigned. What the compiler has declared for its own use stays a variable of the cell.
 *
 * Functions stay declarations (they are hoisted, and keep their names) and are put into their slots first of all.
 */
export function useSlots(
  code: MagicString,
  program: AnyNode,
  names: ReadonlySet<string>,
  earlier: ReadonlySet<string>,
): Slots {
  const { globalScope, scopes } = analyze(program as never, { ecmaVersion: 2024, sourceType: "module" });
  const [module] = globalScope?.childScopes ?? [];
  if (!module) throw new Error("a module without a scope");
  const parents = parentsOf(program);
  for (const identifier of uses(scopes, module, names, earlier)) {
    if (parents.get(identifier)?.type !== "ExportSpecifier") writeSlot(code, identifier, parents);
  }
  return topLevel(code, program, names, innerVars(module, program, parents));
}

function parentsOf(program: AnyNode): Parents {
  const parents = new Map<AnyNode, AnyNode>();
  walk(program, (node, ancestors) => {
    const parent = ancestors.at(-1);
    if (parent) parents.set(node, parent);
  });
  return parents;
}

/** Every identifier that means a slot: the cell's own top-level names, and what only earlier cells declare. */
function uses(
  scopes: readonly Scope[],
  module: Scope,
  names: ReadonlySet<string>,
  earlier: ReadonlySet<string>,
): Set<AnyNode> {
  const found = new Set<unknown>();
  for (const { references, defs } of module.variables.filter(({ name }) => names.has(name))) {
    for (const { identifier } of references) found.add(identifier);
    for (const { type, name } of defs) if (type === "Variable") found.add(name);
  }
  for (const { resolved, identifier } of scopes.flatMap(({ references }) => references)) {
    if (!resolved && earlier.has((identifier as { name: string }).name)) found.add(identifier);
  }
  return found as Set<AnyNode>;
}

function writeSlot(code: MagicString, identifier: AnyNode, parents: Parents): void {
  const name = nameOf(identifier);
  const parent = parents.get(identifier);
  const holder = parent?.type === "AssignmentPattern" ? parents.get(parent) : parent;
  // { name } and { name = 1 }, of an object or a pattern: the key stays.
  const short =
    holder?.type === "Property" && holder["shorthand"] === true && holder.start === identifier.start;
  code.update(identifier.start, identifier.end, short ? `${name}: ${slotOf(name)}` : slotOf(name));
  const value = parent && assignedTo(identifier, parent);
  if (!value || !isAnonymous(value)) return;
  // A function takes its name from a key as it was written, not from the slot.
  code.prependRight(value.start, `({["${name}"]: `);
  code.appendLeft(value.end, `})["${name}"]`);
}

/** What a declaration, an assignment or a default gives to that very identifier. */
function assignedTo(identifier: AnyNode, parent: AnyNode): AnyNode | undefined {
  if (parent.type === "VariableDeclarator" && parent["id"] === identifier) {
    return (parent["init"] as AnyNode | null) ?? undefined;
  }
  const assigns = parent.type === "AssignmentExpression" || parent.type === "AssignmentPattern";
  return assigns && parent["left"] === identifier ? (parent["right"] as AnyNode) : undefined;
}

/** The `var`s inside of statements, which belong to the top level all the same. */
function innerVars(module: Scope, program: AnyNode, parents: Parents): Map<AnyNode, AnyNode | undefined> {
  const inner = new Map<AnyNode, AnyNode | undefined>();
  const isInner = ({ type, parent }: Variable["defs"][number]): boolean => {
    const declaration = parent as AnyNode | null | undefined;
    if (type !== "Variable" || !declaration) return false;
    const above = parents.get(declaration);
    return declaration["kind"] === "var" && above !== program && above?.type !== "ExportNamedDeclaration";
  };
  for (const { parent } of module.variables.flatMap(({ defs }) => defs).filter(isInner)) {
    const declaration = parent as unknown as AnyNode;
    inner.set(declaration, parents.get(declaration));
  }
  return inner;
}

/** Rewrites the statements of the top level and the inner `var`s, whose loops and blocks stay as they are. */
function topLevel(
  code: MagicString,
  program: AnyNode,
  own: ReadonlySet<string>,
  inner: ReadonlyMap<AnyNode, AnyNode | undefined>,
): Slots {
  const statements = program["body"] as AnyNode[];
  const imports: CellImport[] = [];
  const vars = new Set<string>();
  const locals = new Set<string>();
  /** The declarators of a declaration that has slots; its other names become variables apart. */
  const slotted = (declaration: AnyNode): AnyNode[] => {
    const declarators = declaration["declarations"] as AnyNode[];
    const names = declarators.flatMap(({ id }) => namesOf(id as AnyNode));
    if (!names.some((name) => own.has(name))) return [];
    for (const name of names) {
      if (!own.has(name)) locals.add(name);
      else if (declaration["kind"] === "var") vars.add(name);
    }
    return declarators;
  };
  for (const [declaration, above] of inner) {
    const declarators = slotted(declaration);
    const [first] = declarators;
    if (!first) continue;
    const each = above?.type === "ForInStatement" || above?.type === "ForOfStatement";
    if (each && above["left"] === declaration) code.remove(declaration.start, first.start);
    else parenthesise(code, declaration, declarators);
  }
  const functions = statements
    .map(declared)
    .filter(
      (one) => one?.type === "FunctionDeclaration" && one["id"] && own.has(nameOf(one["id"] as AnyNode)),
    );
  const declares = new Set([...functions.map((one) => nameOf(one?.["id"] as AnyNode)), ...vars]);
  const hoisted = declares.size;

  const mark = (names: readonly string[]): string => {
    for (const name of names) if (own.has(name)) declares.add(name);
    return `, ${RUNTIME}.mark(${declares.size})`;
  };

  for (const statement of statements) {
    if (/^(Import|ExportAll)/.test(statement.type) || (isExport(statement) && !statement["declaration"])) {
      const made = importOf(statement);
      if (made) imports.push(made);
      code.remove(statement.start, statement.end);
      continue;
    }
    const declaration = declared(statement);
    if (isExport(statement) && declaration) code.remove(statement.start, declaration.start);
    if (declaration?.type === "VariableDeclaration") {
      parenthesise(code, declaration, slotted(declaration), mark);
    } else if (
      declaration?.type === "ClassDeclaration" &&
      declaration["id"] &&
      own.has(nameOf(declaration["id"] as AnyNode))
    ) {
      const name = nameOf(declaration["id"] as AnyNode);
      code.prependRight(declaration.start, `(${slotOf(name)} = `);
      code.appendLeft(declaration.end, `${mark([name])});`);
    } else if (
      statement.type === "ExportDefaultDeclaration" &&
      declaration &&
      !functions.includes(declaration)
    ) {
      code.prependRight(declaration.start, "(");
      code.appendLeft(declaration.end, ")");
    }
  }

  const assigned = functions
    .map((one) => nameOf(one?.["id"] as AnyNode))
    .map((name) => `${slotOf(name)} = ${name}; `);
  if (hoisted > 0) code.prepend(`${assigned.join("")}${RUNTIME}.mark(${hoisted}); `);
  if (locals.size > 0) code.prepend(`let ${[...locals].join(", ")}; `);
  return { imports, declares: [...declares], vars: [...vars] };
}

/** `const a = 1, b` becomes `(a = 1, b = void 0)`; a `var` without a value stays what it is. */
function parenthesise(
  code: MagicString,
  declaration: AnyNode,
  declarators: readonly AnyNode[],
  mark: (names: readonly string[]) => string = () => "",
): void {
  const [first] = declarators;
  const last = declarators.at(-1);
  if (!first || !last) return;
  code.update(declaration.start, first.start, "(");
  for (const { id, init, end } of declarators as (AnyNode & { id: AnyNode; init: AnyNode | null })[]) {
    if (!init && declaration["kind"] !== "var") code.appendLeft(end, " = void 0");
    const marked = mark(namesOf(id));
    if (marked !== "") code.appendLeft(end, marked);
  }
  code.appendLeft(last.end, ")");
}

const isExport = ({ type }: AnyNode): boolean =>
  type === "ExportNamedDeclaration" || type === "ExportDefaultDeclaration";

/** A statement's declaration, whether it is exported or not. */
function declared(statement: AnyNode): AnyNode | undefined {
  if (isExport(statement)) return (statement["declaration"] as AnyNode | null) ?? undefined;
  return statement;
}

const nameOf = (identifier: AnyNode): string => identifier["name"] as string;

/** The names that a pattern binds. */
function namesOf(pattern: AnyNode | null): string[] {
  switch (pattern?.type) {
    case "Identifier":
      return [nameOf(pattern)];
    case "ObjectPattern":
      return (pattern["properties"] as AnyNode[]).flatMap((one) =>
        namesOf((one["value"] ?? one["argument"]) as AnyNode),
      );
    case "ArrayPattern":
      return (pattern["elements"] as (AnyNode | null)[]).flatMap(namesOf);
    case "AssignmentPattern":
      return namesOf(pattern["left"] as AnyNode);
    case "RestElement":
      return namesOf(pattern["argument"] as AnyNode);
    default:
      return [];
  }
}

/** What an import, or an export from elsewhere, loads and binds; undefined for `export { a }`, which does neither. */
function importOf(statement: AnyNode): CellImport | undefined {
  const source = statement["source"] as AnyNode | null | undefined;
  if (!source) return undefined;
  const bindings: Record<string, string> = {};
  const specifiers = statement.type === "ImportDeclaration" ? (statement["specifiers"] as AnyNode[]) : [];
  for (const specifier of specifiers) {
    const imported = specifier["imported"] as AnyNode | undefined;
    bindings[nameOf(specifier["local"] as AnyNode)] =
      specifier.type === "ImportNamespaceSpecifier"
        ? "*"
        : specifier.type === "ImportDefaultSpecifier"
          ? "default"
          : String(imported?.["name"] ?? imported?.["value"]);
  }
  return { specifier: source["value"] as string, bindings };
}
