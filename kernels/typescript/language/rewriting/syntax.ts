import { type Node, parse } from "acorn";

/* JavaScript as acorn reads it. */

/** Any node, with what only some have. */
export type AnyNode = Node & Record<string, unknown>;

/**
 * Reads a module or, where it is none by its syntax (`with`, octal numbers), a script: CommonJS of old.
 *
 * @throws SyntaxError for what is neither
 */
export function parseJavaScript(code: string): AnyNode {
  const options = {
    ecmaVersion: "latest",
    ranges: true,
    allowAwaitOutsideFunction: true,
    allowReturnOutsideFunction: true,
    allowHashBang: true,
  } as const;
  try {
    return parse(code, { ...options, sourceType: "module" }) as unknown as AnyNode;
  } catch (error) {
    try {
      return parse(code, { ...options, sourceType: "script" }) as unknown as AnyNode;
    } catch {
      throw error;
    }
  }
}

/** Calls `visit` for each node, those outside first, with the nodes that it is in, the nearest last. */
export function walk(root: Node, visit: (node: AnyNode, ancestors: readonly AnyNode[]) => void): void {
  const ancestors: AnyNode[] = [];
  const into = (node: AnyNode): void => {
    visit(node, ancestors);
    ancestors.push(node);
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value])
        if (isNode(child)) into(child);
    }
    ancestors.pop();
  };
  into(root as AnyNode);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && typeof (value as Partial<Node>).type === "string";
}

export const isFunction = ({ type }: Node): boolean =>
  type === "FunctionDeclaration" || type === "FunctionExpression" || type === "ArrowFunctionExpression";

/** A function or class that gets its name from what it is assigned to. */
export const isAnonymous = (node: AnyNode): boolean =>
  node.type === "ArrowFunctionExpression" ||
  ((node.type === "FunctionExpression" || node.type === "ClassExpression") && !node["id"]);
