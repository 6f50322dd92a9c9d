import type TS from "typescript";
import type { Problem } from "../wire/compiled.js";
import { cellScript } from "../wire/names.js";
import type { Cells } from "./cells.js";
import type { LocalModules } from "./local-modules.js";
import { isDeclaration } from "./service.js";
import { ts } from "./typescript.js";

/** That a package brings no types makes it `any`, and is no fault of the cell. */
const UNTOLD = new Set([7016]);

const ASSIGNED_IMPORT = 2632;
const ASSIGNED_CONSTANT = 2588;

/** All specifiers of a file, those of `import()` as well, which TypeScript keeps to itself. */
interface FileWithImports extends TS.SourceFile {
  imports?: readonly TS.StringLiteralLike[];
}

/** What TypeScript has against a cell's code and the local files behind its imports; not against what was added to it. */
export function problemsOf(
  language: TS.LanguageService,
  program: TS.Program,
  cells: Cells,
  modules: LocalModules,
  { path, length }: { path: string; length: number },
): TS.Diagnostic[] {
  const found = language.getSemanticDiagnostics(path).filter(({ start = 0 }) => start < length);
  for (const file of filesBehind(program, modules, path, length)) {
    found.push(...language.getSyntacticDiagnostics(file), ...language.getSemanticDiagnostics(file));
  }
  return found
    .filter(({ code, category }) => category === ts.DiagnosticCategory.Error && !UNTOLD.has(code))
    .map((one) =>
      one.code === ASSIGNED_IMPORT && one.file?.fileName === path ? asDeclared(one, cells) : one,
    );
}

/** A complaint with its place in what the researcher wrote: `where` names the source of a file, if it is a cell's. */
export function asProblem(
  { code, messageText, file, start, length }: TS.Diagnostic,
  where: (path: string) => number | undefined,
): Problem {
  const message = ts.flattenDiagnosticMessageText(messageText, "\n");
  if (!file || start === undefined) return { code, message };
  const { line, character } = ts.getLineAndCharacterOfPosition(file, start);
  const place = { line: line + 1, column: character + 1, length: length ?? 1 };
  const execution = where(file.fileName);
  return execution === undefined
    ? { code, message, place: { source: file.fileName, ...place }, text: file.text }
    : { code, message, place: { source: cellScript(execution), ...place } };
}

/** A line as IPython takes it: `!ls`, `%time x`, `%%bash`. */
const OF_IPYTHON = /^\s*(!|%%?)[ \t]*[a-z./]/;

/** Says what to write instead where the first problem is in a line that only IPython knows. */
export function withHint(problems: readonly Problem[], code: string): Problem[] {
  const [first, ...others] = problems;
  const line = code.split("\n")[(first?.place?.line ?? 1) - 1] ?? "";
  if (!first || !OF_IPYTHON.test(line)) return [...problems];
  const hint = line.trimStart().startsWith("!")
    ? 'a cell is TypeScript and no shell: execSync("…", { encoding: "utf8" }) of node:child_process runs a command'
    : "a cell is TypeScript and knows no magic commands: console.time() and console.timeEnd() take times";
  return [{ ...first, message: `${first.message} (${hint})` }, ...others];
}

/** The local sources that a cell's own code imports, and those that they import. */
function filesBehind(program: TS.Program, modules: LocalModules, cell: string, length: number): Set<string> {
  const files = new Set<string>();
  const follow = (path: string, end: number): void => {
    const file: FileWithImports | undefined = program.getSourceFile(path);
    for (const literal of file?.imports ?? []) {
      if (literal.pos >= end) continue;
      const found = modules.resolve(literal.text, path);
      if (found === undefined || files.has(found) || isDeclaration(found) || !program.getSourceFile(found))
        continue;
      files.add(found);
      follow(found, Infinity);
    }
  };
  follow(cell, length);
  return files;
}

/** What another cell has declared is brought in by an import that nobody wrote. */
function asDeclared(one: TS.Diagnostic, cells: Cells): TS.Diagnostic {
  const name = one.file?.text.slice(one.start, (one.start ?? 0) + (one.length ?? 0)) ?? "";
  const kind = cells.kindOf(name);
  if (kind === undefined || kind === "import") return one;
  const what = kind === "const" ? "constant" : kind;
  const article = /^[aei]/.test(what) ? "an" : "a";
  return {
    ...one,
    code: ASSIGNED_CONSTANT,
    messageText: `Cannot assign to '${name}' because it is ${article} ${what}.`,
  };
}
