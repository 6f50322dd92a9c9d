import { readFileSync } from "node:fs";

/** Declarations of packages, Node and the language among them, are mostly documentation. */
const HEAVY = /[\\/]node_modules[\\/].*\.d\.[cm]?ts$/;

const COMMENT = /\/\*\*[\s\S]*?\*\//g;

/**
 * Such declarations without their documentation, which would be parsed at every start of a kernel. Who asks for the
 * documentation of one name gets it from {@link commentBefore}.
 */
export function leanTypes(path: string, text: string): string {
  return HEAVY.test(path) ? text.replace(COMMENT, "") : text;
}

/** The documentation that stands in a file before a place of its text as it was read. */
export function commentBefore(path: string, read: string, start: number): string {
  if (!HEAVY.test(path))
    return plain(/\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.exec(read.slice(0, start))?.[0] ?? "");
  const text = readFileSync(path, "utf8");
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
    .trim()
    .replace(/^\/\*\*|\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
    .join("\n")
    .trim();
}
