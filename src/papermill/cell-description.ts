const LONGEST = 80;

/**
 * What a progress bar calls a cell: the word after `papermill_description=` in its source, else its first line, without
 * comment signs.
 */
export function cellDescription(source: string): string {
  const named = /papermill_description=(\S+)/.exec(source)?.[1];
  if (named) return named;
  for (const line of source.split("\n")) {
    const text = line.replace(/^\s*(?:\/\/+|#+|\/\*+|\*+\/?)?\s*|\s*\*\/\s*$/g, "").trim();
    if (text !== "") return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  }
  return "(empty)";
}
