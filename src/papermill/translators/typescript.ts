import type { ParameterValue } from "../options.js";
import { accepts, isList, isMapping } from "../typed/check.js";
import { membersOf, type ParameterType } from "../typed/types.js";
import { readDeclarations } from "../typed/typescript-declarations.js";
import type { Translator } from "./translator.js";

/**
 * TypeScript. A declared parameter keeps its keyword and its type, so that cells see
 * `const scale: "small" | "medium" = "medium";` and not a wider type. tslab, Deno's kernel and ours let a later cell
 * declare a `const` again, which is what injecting means.
 */
export const typescriptTranslator: Translator = {
  comment: (text) => `// ${text}`,
  literal,
  isName,
  inspect: (source) => readDeclarations(source, "typescript"),
  checksTypes: true,
  assign(name, value, declared) {
    const type = declared?.type ? `: ${declared.type}` : "";
    return `${declared?.keyword ?? "const"} ${name}${type} = ${literalOf(declared?.structure, value)};`;
  },
};

/** A value where a type is asked for: an enum takes its members' names only, not what they stand for. */
function literalOf(type: ParameterType | undefined, value: ParameterValue): string {
  const fitting = type && membersOf(type).find((member) => accepts(member, value));
  if (!fitting) return literal(value);
  if (fitting.kind === "literal") return fitting.source ?? literal(value);
  if (isList(value) && (fitting.kind === "array" || fitting.kind === "tuple")) {
    const of = (at: number): ParameterType | undefined =>
      fitting.kind === "array" ? fitting.element : (fitting.elements[at] ?? fitting.rest);
    return `[${value.map((each, at) => literalOf(of(at), each)).join(", ")}]`;
  }
  if (isMapping(value) && fitting.kind === "object") {
    const of = (key: string): ParameterType | undefined =>
      fitting.fields.find(({ name }) => name === key)?.type ?? fitting.rest;
    return objectLiteral(Object.entries(value).map(([key, entry]) => [key, literalOf(of(key), entry)]));
  }
  return literal(value);
}

function literal(value: ParameterValue): string {
  if (value === undefined) return "undefined";
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return stringLiteral(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value); // NaN and Infinity are names that every cell can see.
    case "bigint":
      return `${value}n`;
    case "boolean":
      return String(value);
  }
  if (Array.isArray(value)) return `[${(value as readonly ParameterValue[]).map(literal).join(", ")}]`;
  return objectLiteral(Object.entries(value).map(([key, entry]) => [key, literal(entry)]));
}

function objectLiteral(entries: readonly (readonly [key: string, value: string])[]): string {
  if (entries.length === 0) return "{}";
  return `{ ${entries.map(([key, value]) => `${keyLiteral(key)}: ${value}`).join(", ")} }`;
}

/** JSON's literal, in which U+2028 and U+2029 end no line and `</script>` ends no page that shows the notebook. */
function stringLiteral(text: string): string {
  return JSON.stringify(text)
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029")
    .replace(/<\/(?=script)/gi, "<\\/");
}

/** `__proto__: x` would set the prototype; computed, it is a key like any other. */
function keyLiteral(key: string): string {
  if (key === "__proto__") return `["__proto__"]`;
  return IDENTIFIER.test(key) ? key : stringLiteral(key);
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

const RESERVED = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends " +
    "false finally for function if implements import in instanceof interface let new null package private protected " +
    "public return static super switch this throw true try typeof undefined var void while with yield"
  ).split(" "),
);

function isName(name: string): boolean {
  return IDENTIFIER.test(name) && !RESERVED.has(name);
}

/** JavaScript: TypeScript's values, without types. */
export const javascriptTranslator: Translator = {
  ...typescriptTranslator,
  inspect: (source) => readDeclarations(source, "javascript"),
  checksTypes: false,
  assign: (name, value, declared) =>
    `${declared?.keyword ?? "const"} ${name} = ${typescriptTranslator.literal(value)};`,
};
