import type MagicString from "magic-string";
import { RUNTIME, STOP } from "../../wire/index.js";
import { type AnyNode, isFunction, walk } from "./syntax.js";

/** How `import()` and `import.meta` are written where the code runs as part of something else. */
export interface ModuleSyntax {
  /** What stands before the specifier of `import()`, its bracket included. */
  importCall: string;
  meta: string;
}

/** What was found on the way. */
export interface Found {
  /** Whether the code awaits outside of every function. */
  awaits: boolean;
  /** Literal specifiers of `import()` and `require()`. */
  dynamic: string[];
}

const LOOPS = new Set([
  "ForStatement",
  "ForInStatement",
  "ForOfStatement",
  "WhileStatement",
  "DoWhileStatement",
]);

/**
 * Has code end where it waits or loops when the cell that runs it is interrupted, whoever wrote it; see
 * executor/interrupts.ts for what is called. `await x` becomes `resume(await until(begin(place), x))`, loops begin with a look
 * at a flag, `catch` and `finally` with a word that what follows clears up.
 */
export function makeInterruptible(
  code: MagicString,
  program: AnyNode,
  placeOf: (at: number) => string,
  syntax: ModuleSyntax,
): Found {
  const found: Found = { awaits: false, dynamic: [] };
  walk(program, (node, ancestors) => {
    switch (node.type) {
      case "AwaitExpression": {
        const argument = node["argument"] as AnyNode;
        code.appendRight(node.start, `${RUNTIME}.resume(`);
        const site = siteOf(placeOf(node.start), ancestors);
        code.appendRight(argument.start, ` ${RUNTIME}.until(${RUNTIME}.begin(${JSON.stringify(site)}), `);
        code.appendLeft(node.end, "))");
        found.awaits ||= !ancestors.some(isFunction);
        break;
      }
      case "CatchClause":
        begin(code, node["body"] as AnyNode, `${RUNTIME}.clean();`);
        break;
      case "TryStatement":
        if (node["finalizer"]) begin(code, node["finalizer"] as AnyNode, `${RUNTIME}.clean();`);
        break;
      case "ImportExpression": {
        const source = node["source"] as AnyNode;
        code.update(node.start, source.start, syntax.importCall);
        note(found, source);
        break;
      }
      case "MetaProperty":
        if ((node["meta"] as AnyNode)["name"] === "import") code.update(node.start, node.end, syntax.meta);
        break;
      case "CallExpression": {
        const callee = node["callee"] as AnyNode;
        const [first] = node["arguments"] as AnyNode[];
        if (callee.type === "Identifier" && callee["name"] === "require" && first) note(found, first);
        break;
      }
      default:
        if (!LOOPS.has(node.type)) break;
        if (node["await"] === true) {
          awaitEach(code, node);
          found.awaits ||= !ancestors.some(isFunction);
        }
        begin(code, node["body"] as AnyNode, `if(${STOP}===true)${RUNTIME}.halt();`);
    }
  });
  return found;
}

/** A place as V8 tells it in a stack: with the name of the function, if it has one. */
function siteOf(place: string, ancestors: readonly AnyNode[]): string {
  const at = ancestors.findLastIndex(isFunction);
  const [around, own] = [ancestors[at - 1], ancestors[at]];
  const named = [own?.["id"], around?.["id"], around?.["key"], around?.["left"]] as (
    AnyNode | null | undefined
  )[];
  const name = named.find((one) => one?.type === "Identifier")?.["name"] as string | undefined;
  return name === undefined ? place : `${name} (${place})`;
}

/** Each turn of `for await` hands over a record; reading its `value` goes on with the loop, or ends it. */
function awaitEach(code: MagicString, loop: AnyNode): void {
  const left = loop["left"] as AnyNode;
  const right = loop["right"] as AnyNode;
  const [declarator] = (left["declarations"] ?? []) as AnyNode[];
  const pattern = declarator ?? left;
  code.appendRight(pattern.start, "{value: ");
  code.appendLeft(pattern.end, "}");
  code.appendRight(right.start, `${RUNTIME}.each(`);
  code.appendLeft(right.end, ")");
}

/** Puts a statement at the beginning of a body, which becomes a block if it is none. */
function begin(code: MagicString, body: AnyNode, statement: string): void {
  if (body.type === "BlockStatement") code.appendLeft(body.start + 1, statement);
  else {
    code.appendRight(body.start, `{${statement}`);
    code.appendLeft(body.end, "}");
  }
}

function note({ dynamic }: Found, specifier: AnyNode): void {
  if (specifier.type === "Literal" && typeof specifier["value"] === "string")
    dynamic.push(specifier["value"]);
}
