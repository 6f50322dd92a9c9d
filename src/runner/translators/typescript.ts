import type { Statement, VariableDeclarationList } from "typescript";
import type { ParameterValue } from "../options";
import type { DeclaredParameter, Translator } from "./translator";

/**
 * TypeScript. A declared parameter keeps its keyword and its type, so that cells see
 * `const scale: "small" | "medium" = "medium";` and not a wider type. tslab, Deno's kernel and ours let a later cell
 * declare a `const` again, which is what injecting means.
 */
export const typescriptTranslator: Translator = {
  comment: (text) => `// ${text}`,
  literal,
  isName,
  inspect,
  assign(name, value, declared) {
    const type = declared?.type ? `: ${declared.type}` : "";
    return `${declared?.keyword ?? "const"} ${name}${type} = ${literal(value)};`;
  },
};

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
  const entries = Object.entries(value).map(([key, entry]) => `${keyLiteral(key)}: ${literal(entry)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
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

/** The variables that the cell declares at its top level, by TypeScript's own parser (loaded only when asked). */
async function inspect(source: string): Promise<DeclaredParameter[]> {
  const { default: ts } = await import("typescript");
  const file = ts.createSourceFile("parameters.ts", source, ts.ScriptTarget.ES2022);
  const isVariables = (
    statement: Statement,
  ): statement is Statement & { declarationList: VariableDeclarationList } =>
    ts.isVariableStatement(statement);
  return file.statements.filter(isVariables).flatMap(({ declarationList: list }) => {
    const keyword = list.flags & ts.NodeFlags.Const ? "const" : list.flags & ts.NodeFlags.Let ? "let" : "var";
    return list.declarations.flatMap((declaration): DeclaredParameter[] => {
      if (!ts.isIdentifier(declaration.name)) return [];
      return [
        {
          name: declaration.name.text,
          keyword,
          type: declaration.type?.getText(file),
          defaultSource: declaration.initializer?.getText(file),
        },
      ];
    });
  });
}
