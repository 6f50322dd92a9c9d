import type TS from "typescript";
import type { Bundle } from "../wire/messages.js";
import { commentBefore } from "./lean-types.js";

interface Draft {
  path: string;
  offset: number;
}

/** What is known of the name at a place, or of the function whose arguments are being written there. */
export function hover(
  language: TS.LanguageService,
  draft: Draft,
  code: string,
  position: number,
): Bundle | undefined {
  const info = quickInfo(language, draft, position) ?? calledFunction(language, draft, code, position);
  return info && { "text/plain": plain(info), "text/markdown": markdown(info) };
}

function quickInfo(language: TS.LanguageService, draft: Draft, position: number): TS.QuickInfo | undefined {
  for (const at of [position, position - 1]) {
    const info = at < 0 ? undefined : language.getQuickInfoAtPosition(draft.path, draft.offset + at);
    if (!info?.displayParts?.length) continue;
    const documentation = info.documentation?.length
      ? inOnePiece(info.documentation)
      : documented(language, draft, at);
    return {
      ...info,
      displayParts: withoutImport(info.displayParts),
      documentation,
      tags: (info.tags ?? []).map((tag) => ({ ...tag, text: inOnePiece(tag.text) })),
    };
  }
  return undefined;
}

/** The documentation that TypeScript does not see: of variables of earlier cells, and what was left out of packages. */
function documented(language: TS.LanguageService, draft: Draft, at: number): TS.SymbolDisplayPart[] {
  let [definition] = language.getDefinitionAtPosition(draft.path, draft.offset + at) ?? [];
  if (definition?.fileName === draft.path && definition.textSpan.start < draft.offset) {
    // `declare let x: typeof import("…").x;`: its last name is the one that was declared.
    const { start, length } = definition.contextSpan ?? definition.textSpan;
    [definition] = language.getDefinitionAtPosition(draft.path, start + length - 2) ?? [];
  }
  if (!definition) return [];
  const text = language.getProgram()?.getSourceFile(definition.fileName)?.text ?? "";
  const comment = commentBefore(
    definition.fileName,
    text,
    (definition.contextSpan ?? definition.textSpan).start,
  );
  return comment === "" ? [] : inOnePiece([{ text: comment, kind: "text" }]);
}

const LINK = /\{@link(?:code|plain)?\s+([^}|\s]+)[\s|]*([^}]*)\}/g;

/** A link is its label, else the name that it leads to. */
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
function calledFunction(
  language: TS.LanguageService,
  draft: Draft,
  code: string,
  position: number,
): TS.QuickInfo | undefined {
  let depth = 0;
  for (let at = position - 1; at > 0; at--) {
    const character = code[at];
    if (character === ")") depth++;
    if (character === "(" && depth-- === 0) return quickInfo(language, draft, at);
    if (character === ";") return undefined;
  }
  return undefined;
}

/** Types of earlier cells are known by their names alone. */
const textOf = (parts: readonly TS.SymbolDisplayPart[] = []): string =>
  parts
    .map((part) => part.text)
    .join("")
    .replace(/import\("[^"]*ts-jupyter-kernel-cell-\d+"\)\./g, "");

function plain({ displayParts, documentation = [], tags = [] }: TS.QuickInfo): string {
  const said = [
    ...(documentation.length > 0 ? [textOf(documentation)] : []),
    ...tags
      .map(({ name, text }) => (name === "param" ? `@param ${textOf(text)}` : textOf(text)))
      .filter((text) => text !== "" && text !== "@param "),
  ];
  return [textOf(displayParts), ...(said.length > 0 ? ["", ...said] : [])].join("\n");
}

function markdown({ displayParts, documentation = [], tags = [] }: TS.QuickInfo): string {
  const sections = [`\`\`\`typescript\n${textOf(displayParts)}\n\`\`\``];
  if (documentation.length > 0) sections.push(textOf(documentation));
  for (const { name, text } of tags) {
    const said = textOf(text);
    sections.push(
      name === "example" ? `*@example*\n\`\`\`typescript\n${said}\n\`\`\`` : `*@${name}* ${said}`,
    );
  }
  return sections.join("\n\n");
}
