import { readFileSync } from "node:fs";
import type * as TS from "typescript";
import type { TslabTypeScript } from "./typescript.js";

/** Declarations of packages, Node and the language among them, are mostly documentation. */
const HEAVY = /[\\/]node_modules[\\/].*\.d\.[cm]?ts$/;

const COMMENT = /\/\*\*[\s\S]*?\*\//g;

/**
 * Has the compiler read those declarations without their documentation, which it would parse at every start of a kernel: a
 * third of that time, and ten megabytes. Who asks for the documentation of one name gets it from {@link documentation}.
 */
export function readLeanTypes(sys: TS.System): void {
  const readFile = sys.readFile.bind(sys);
  sys.readFile = (path, encoding) => {
    const text = readFile(path, encoding);
    return text !== undefined && HEAVY.test(path) ? text.replace(COMMENT, "") : text;
  };
}

/** tslab's hover text, with the documentation that was left out when the declarations were read. */
export function documentedQuickInfo(ts: TslabTypeScript): TslabTypeScript["getQuickInfoAtPosition"] {
  return (file, checker, token, position) => {
    const info = ts.getQuickInfoAtPosition(file, checker, token, position);
    if (!info || info.documentation?.length) return info;
    let symbol = checker.getSymbolAtLocation(ts.getTouchingPropertyName(file, position));
    if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
    const [declaration] = symbol?.declarations ?? [];
    if (!declaration) return info;
    const text = commentBefore(declaration.getSourceFile().fileName, declaration.getStart());
    return text === "" ? info : { ...info, documentation: [{ text, kind: "text" }] };
  };
}

/** The comment that stands in a file before a place of its text as it was read. */
function commentBefore(file: string, start: number): string {
  if (!HEAVY.test(file)) return "";
  const text = readFileSync(file, "utf8");
  let removed = 0;
  let found = "";
  for (const match of text.matchAll(COMMENT)) {
    if (match.index - removed > start) break;
    removed += match[0].length;
    const end = match.index + match[0].length;
    // Only blanks and line ends may stand between a comment and what it is about.
    found = text.slice(end, start + removed).trim() === "" ? match[0] : "";
  }
  return plain(found);
}

function plain(comment: string): string {
  return comment
    .replace(/^\/\*\*|\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
    .join("\n")
    .trim();
}
