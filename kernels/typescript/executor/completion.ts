import type * as TS from "typescript";
import type { Executor } from "tslab/dist/executor.js";
import type { Bundle, Completeness, Completions } from "../wire/index.js";
import { tslabModule, type TslabTypeScript } from "./compiler/typescript.js";

/** What may stand at a place: what begins as the code there does; without such, what does so in another case. */
export function complete(executor: Executor, code: string, position: number): Completions {
  const { start, end, candidates, original } = executor.complete(code, position);
  const typed = code.slice(start, position);
  const kinds = new Map<string, string>();
  for (const { name, kind } of original?.entries ?? []) kinds.set(name, kind);
  const lower = typed.toLowerCase();
  const exact = candidates.filter((name) => name.startsWith(typed));
  const matches =
    exact.length > 0 ? exact : candidates.filter((name) => name.toLowerCase().startsWith(lower));
  return { matches, kinds: matches.map((name) => kinds.get(name) ?? ""), start, end };
}

/** What is known of the name at a place, or of the function whose arguments are being written there. */
export function hover(executor: Executor, code: string, position: number): Bundle | undefined {
  const info = quickInfo(executor, code, position) ?? calledFunction(executor, code, position);
  if (!info) return undefined;
  const { printQuickInfo } = tslabModule("inspect") as typeof import("tslab/dist/inspect.js");
  return { "text/plain": printQuickInfo(info as never), "text/markdown": markdown(info) };
}

function quickInfo(executor: Executor, code: string, position: number): TS.QuickInfo | undefined {
  for (const at of [position, position - 1]) {
    const info = at < 0 ? undefined : (executor.inspect(code, at) as TS.QuickInfo | undefined);
    if (info?.displayParts?.length) {
      return {
        ...info,
        displayParts: withoutImport(info.displayParts),
        documentation: inOnePiece(info.documentation),
        tags: (info.tags ?? []).map((tag) => ({ ...tag, text: inOnePiece(tag.text) })),
      };
    }
  }
  return undefined;
}

const LINK = /\{@link(?:code|plain)?\s+([^}|\s]+)[\s|]*([^}]*)\}/g;

/** tslab prints each part of a text on a line of its own; a link is its label, else the name that it leads to. */
function inOnePiece(parts: readonly TS.SymbolDisplayPart[] = []): TS.SymbolDisplayPart[] {
  const text = parts.map((part) => part.text).join("");
  const read = text.replace(LINK, (_link, name: string, label: string) => label.trim() || name);
  return read === "" ? [] : [{ text: read, kind: "text" }];
}

/** What an imported name stands for is of interest, not that it is imported: a tooltip has few lines. */
function withoutImport(parts: readonly TS.SymbolDisplayPart[]): TS.SymbolDisplayPart[] {
  const alias = parts[0]?.text === "(" && parts[1]?.text === "alias";
  if (!alias) return [...parts];
  const end = parts.findLastIndex(({ text }, at) => text === "import" && parts[at - 1]?.text === "\n");
  // "(alias) " is four parts. Of a whole module nothing but its import is told.
  const kept = parts.slice(4, end < 0 ? undefined : end - 1);
  return kept.length > 0 ? kept : [...parts];
}

/** `openStudy(|` asks for openStudy. */
function calledFunction(executor: Executor, code: string, position: number): TS.QuickInfo | undefined {
  let depth = 0;
  for (let at = position - 1; at > 0; at--) {
    const character = code[at];
    if (character === ")") depth++;
    if (character === "(" && depth-- === 0) return quickInfo(executor, code, at);
    if (character === ";") return undefined;
  }
  return undefined;
}

function markdown({ displayParts = [], documentation = [], tags = [] }: TS.QuickInfo): string {
  const text = (parts: readonly TS.SymbolDisplayPart[]): string => parts.map((part) => part.text).join("");
  const sections = [`\`\`\`typescript\n${text(displayParts)}\n\`\`\``];
  if (documentation.length > 0) sections.push(text(documentation));
  for (const { name, text: parts = [] } of tags) {
    const said = text(parts);
    sections.push(
      name === "example" ? `*@example*\n\`\`\`typescript\n${said}\n\`\`\`` : `*@${name}* ${said}`,
    );
  }
  return sections.join("\n\n");
}

/** Messages of the parser that more code could answer: something is open at the end. */
const OPEN = new Set([
  1010, // '*/' expected.
  1160, // Unterminated template literal.
  1161, // Unterminated regular expression literal.
]);

const UNTERMINATED_STRING = 1002;

/** Whether code is whole, wants more, or is beyond help. */
export function completeness(ts: TslabTypeScript, code: string): Completeness {
  // Two empty lines at the end say that the writer is done.
  const whole = code.trimEnd();
  const file = ts.createSourceFile("cell.ts", whole, ts.ScriptTarget.Latest, true) as TS.SourceFile & {
    parseDiagnostics: readonly TS.DiagnosticWithLocation[];
  };
  const [first] = file.parseDiagnostics;
  if (!first) return { status: "complete" };
  const end = whole.length;
  // A string ends with its line, unless a backslash stands before the line's end.
  const open =
    first.code === UNTERMINATED_STRING
      ? whole.endsWith("\\")
      : first.start >= end || (OPEN.has(first.code) && first.start + first.length >= end);
  if (!open || /\n\s*\n\s*$/.test(code)) return { status: "invalid" };
  return { status: "incomplete", indent: indentAfter(whole) };
}

/** The indentation of the next line: two more than the last line's when that one opens a bracket. */
function indentAfter(code: string): string {
  const line = code.slice(code.lastIndexOf("\n") + 1);
  const current = /^[ \t]*/.exec(line)?.[0] ?? "";
  const step = current.includes("\t") ? "\t" : "  ";
  return /[{([]\s*(\/\/.*)?$|=>\s*$/.test(line) ? current + step : current;
}
