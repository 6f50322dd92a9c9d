import type TS from "typescript";
import type { Completions } from "../wire/messages.js";
import type { Cells } from "./cells.js";
import type { NameKind } from "./names.js";
import { ts } from "./typescript.js";

/** The kinds of names of earlier cells. */
const OF_NAMES: Record<NameKind, string> = {
  let: "variable",
  const: "constant",
  function: "function",
  class: "class",
  enum: "enum",
  namespace: "module",
  import: "variable",
  type: "interface",
  ambient: "variable",
};

/** TypeScript's kinds by the names that clients have pictures for; the others are called the same there. */
const OF_TYPESCRIPT: Partial<Record<string, string>> = {
  [ts.ScriptElementKind.variableElement]: "variable",
  [ts.ScriptElementKind.localVariableElement]: "variable",
  [ts.ScriptElementKind.variableUsingElement]: "variable",
  [ts.ScriptElementKind.variableAwaitUsingElement]: "variable",
  [ts.ScriptElementKind.letElement]: "variable",
  [ts.ScriptElementKind.parameterElement]: "variable",
  [ts.ScriptElementKind.alias]: "variable",
  [ts.ScriptElementKind.constElement]: "constant",
  [ts.ScriptElementKind.localFunctionElement]: "function",
  [ts.ScriptElementKind.localClassElement]: "class",
  [ts.ScriptElementKind.typeElement]: "interface",
  [ts.ScriptElementKind.typeParameterElement]: "typeParameter",
  [ts.ScriptElementKind.enumMemberElement]: "enumMember",
  [ts.ScriptElementKind.memberGetAccessorElement]: "property",
  [ts.ScriptElementKind.memberSetAccessorElement]: "property",
  [ts.ScriptElementKind.memberAccessorVariableElement]: "property",
  [ts.ScriptElementKind.jsxAttribute]: "property",
  [ts.ScriptElementKind.primitiveType]: "keyword",
  [ts.ScriptElementKind.externalModuleName]: "module",
  [ts.ScriptElementKind.scriptElement]: "file",
  [ts.ScriptElementKind.directory]: "folder",
  [ts.ScriptElementKind.string]: "value",
  [ts.ScriptElementKind.warning]: "text",
};

/** As TypeScript sorts them: what is near goes before what is everywhere. */
const OF_CELLS = "11";

interface Candidate {
  name: string;
  kind: string;
  sort: string;
}

const IDENTIFIER_BEFORE = /[\p{ID_Continue}$\u200c\u200d]*$/u;
const IDENTIFIER_AFTER = /^[\p{ID_Continue}$\u200c\u200d]*/u;

/** Names that nobody wrote. */
const GENERATED = /\u200d|^ts-jupyter-kernel-cell-/;

/** What may stand at a place: what begins as the code there does; without such, what does so in another case. */
export function complete(
  language: TS.LanguageService,
  cells: Cells,
  draft: { path: string; offset: number },
  code: string,
  position: number,
): Completions {
  const info = language.getCompletionsAtPosition(draft.path, draft.offset + position, {});
  const [start, end] = replaced(info, draft.offset, code, position);
  const typed = code.slice(start, position);
  const candidates = candidatesOf(info, cells);
  const lower = typed.toLowerCase();
  const exact = candidates.filter(({ name }) => name.startsWith(typed));
  const fitting =
    exact.length > 0 ? exact : candidates.filter(({ name }) => name.toLowerCase().startsWith(lower));
  const unique = [...new Map(fitting.sort(bySort).map((one) => [one.name, one])).values()];
  return { matches: unique.map(({ name }) => name), kinds: unique.map(({ kind }) => kind), start, end };
}

function bySort(a: Candidate, b: Candidate): number {
  if (a.sort !== b.sort) return a.sort < b.sort ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function candidatesOf(info: TS.CompletionInfo | undefined, cells: Cells): Candidate[] {
  const entries = info?.entries ?? [];
  const found = entries
    .filter(({ name }) => !GENERATED.test(name))
    .map(({ name, kind, sortText }) => ({ name, kind: OF_TYPESCRIPT[kind] ?? kind, sort: sortText }));
  // Where any name may stand, earlier cells' may, of which the draft has only those that it mentions.
  if (info && !info.isMemberCompletion && entries.some(({ name }) => name === "globalThis")) {
    const local = new Set(found.filter(({ sort }) => sort <= OF_CELLS).map(({ name }) => name));
    for (const name of cells.names()) {
      if (!local.has(name)) found.push({ name, kind: OF_NAMES[cells.kindOf(name) ?? "let"], sort: OF_CELLS });
    }
  }
  return found;
}

/** From where to where in the code a match stands: TypeScript says so in strings, elsewhere it is the name at the place. */
function replaced(
  info: TS.CompletionInfo | undefined,
  offset: number,
  code: string,
  position: number,
): [start: number, end: number] {
  const span =
    info?.entries.find((one) => one.replacementSpan)?.replacementSpan ?? info?.optionalReplacementSpan;
  if (span && span.start - offset <= position)
    return [span.start - offset, Math.max(position, ts.textSpanEnd(span) - offset)];
  const before = IDENTIFIER_BEFORE.exec(code.slice(0, position))?.[0] ?? "";
  const after = IDENTIFIER_AFTER.exec(code.slice(position))?.[0] ?? "";
  // Between two tokens nothing is replaced, also not the name that follows.
  return [position - before.length, position + (before === "" ? 0 : after.length)];
}
