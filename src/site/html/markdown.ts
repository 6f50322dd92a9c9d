import katexPlugin from "@vscode/markdown-it-katex";
import MarkdownIt from "markdown-it";
import { escape as escapeHtml } from "html-escaper";

/** A heading of a text, for lists of sections. */
export interface Heading {
  level: number;
  text: string;
  /** its anchor in the page, prefix included */
  id: string;
}

/** A piece of text under one heading, for search. */
export interface Passage {
  /** undefined before the first heading */
  heading: Heading | undefined;
  text: string;
}

/** What one rendering hands to the rule below; a type, since only such fits markdown-it's open record. */
type Environment = {
  prefix: string;
  taken: Set<string>;
  headings: Heading[];
};

// Raw HTML in Markdown stays text. KaTeX's spans are for the eye, its MathML for those who listen.
const markdown = new MarkdownIt({ linkify: true, typographer: false }).use(katexPlugin.default, {
  output: "htmlAndMathml",
  throwOnError: false,
} as Parameters<typeof katexPlugin.default>[1]);

markdown.core.ruler.push("heading-anchors", ({ tokens, env }) => {
  const { prefix, taken, headings } = env as unknown as Environment;
  tokens.forEach((token, index) => {
    if (token.type !== "heading_open") return;
    const text = plain(tokens[index + 1]?.children ?? []);
    const id = unique(prefix + slug(text), taken);
    token.attrSet("id", id);
    headings.push({ level: Number(token.tag.slice(1)), text, id });
  });
});

// What is wider than a phone scrolls by itself; the page does not.
markdown.renderer.rules["table_open"] = () => '<div class="scroll" tabindex="0"><table>\n';
markdown.renderer.rules["table_close"] = () => "</table></div>\n";

/**
 * Markdown with equations as HTML.
 *
 * @param options.prefix what the anchors of its headings begin with
 * @param options.taken anchors that the page has already; those of this text are added
 */
export function renderMarkdown(
  source: string,
  { prefix = "", taken = new Set<string>() }: { prefix?: string; taken?: Set<string> } = {},
): { html: string; headings: Heading[] } {
  const env: Environment = { prefix, taken, headings: [] };
  // A long equation scrolls by itself, by keys as well.
  const html = markdown
    .render(source, env)
    .replaceAll('<span class="katex-display">', '<span class="katex-display" tabindex="0">');
  return { html, headings: env.headings };
}

/** What a reader could search for: the words under each heading, without markup; equations as they are written. */
export function passagesOf(source: string, headings: readonly Heading[]): Passage[] {
  const env: Environment = { prefix: "", taken: new Set(), headings: [] };
  const passages: Passage[] = [{ heading: undefined, text: "" }];
  let count = 0;
  for (const token of markdown.parse(source, env)) {
    if (token.type === "heading_open") passages.push({ heading: headings[count++], text: "" });
    if (token.type === "inline") passages[passages.length - 1]!.text += `${plain(token.children ?? [])} `;
  }
  return passages.filter(({ heading, text }) => heading !== undefined || text.trim() !== "");
}

type Token = ReturnType<typeof markdown.parse>[number];

function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) => (token.type === "softbreak" || token.type === "hardbreak" ? " " : token.content))
    .join("");
}

function slug(text: string): string {
  const words = text
    .normalize("NFKD")
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  return words?.join("-") ?? "section";
}

function unique(wanted: string, taken: Set<string>): string {
  let id = wanted;
  for (let number = 2; taken.has(id); number++) id = `${wanted}-${number}`;
  taken.add(id);
  return escapeHtml(id);
}
