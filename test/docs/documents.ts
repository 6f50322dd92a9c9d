import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/base/paths.js";

/** Paths of the documents that are held to what they say, relative to the project's root. */
export function documents(): string[] {
  const guides = readdirSync(join(projectRoot(), "docs")).filter((file) => file.endsWith(".md"));
  return ["README.md", "CONTRIBUTING.md", "outputs/README.md", ...guides.map((file) => `docs/${file}`)];
}

export function textOf(document: string): string {
  return readFileSync(join(projectRoot(), document), "utf8");
}

/** The fenced blocks of a language, in order. */
export function blocksOf(document: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm");
  return [...textOf(document).matchAll(fence)].map(([, code]) => code as string);
}

/** The text without its fenced blocks, where what looks like a link or a heading is one. */
export function proseOf(document: string): string {
  return textOf(document).replace(/^```[^]*?^```$/gm, "");
}

/** The anchors that GitHub makes of a document's headings. */
export function anchorsOf(document: string): string[] {
  return [...proseOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/ /g, "-"),
  );
}

/** What a reader would type: the lines of the sh blocks, continued ones joined, comments left out. */
export function commandsOf(document: string): string[] {
  return blocksOf(document, "sh")
    .flatMap((block) => block.replace(/ *\\\n\s*/g, " ").split("\n"))
    .map((line) => withoutComment(line).trim())
    .filter((line) => line !== "");
}

/** Commands of this project that stand in running text, such as `npx alignscope site`. */
export function inlineCommandsOf(document: string): string[] {
  const spans = [...proseOf(document).matchAll(/`((?:npx|npm run) [^`]+)`/g)].map(
    ([, code]) => code as string,
  );
  return spans.filter((span) => !span.includes("["));
}

/** The line up to a `#` that begins a word outside of quotes. */
function withoutComment(line: string): string {
  return /^(?:'[^']*'|"[^"]*"|(?<=\S)#|[^'"#])*/.exec(line)?.[0] ?? line;
}

/** A line's commands, each as the words that a shell would make of it; redirections are left out, variables stay. */
export function wordsOf(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [token] of line.matchAll(/&&|\|\||[|;]|[<>]+\s*\S+|(?:'[^']*'|"[^"]*"|[^\s'"|;<>&])+/g)) {
    if (/^(&&|\|\||[|;])$/.test(token)) commands.push([]);
    else if (!/^[<>]/.test(token)) commands.at(-1)?.push(token.replace(/'([^']*)'|"([^"]*)"/g, "$1$2"));
  }
  return commands.filter((words) => words.length > 0);
}
