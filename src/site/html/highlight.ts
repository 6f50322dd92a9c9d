import type { HighlighterCore } from "shiki/core";

/** Highlights a cell's code. */
export type Highlight = (code: string) => string;

/** Both themes keep their contrast on the page's own ground; the style sheet chooses by the page's theme. */
const THEMES = { light: "github-light-high-contrast", dark: "github-dark-high-contrast" } as const;

let opened: Promise<HighlighterCore> | undefined;

/** TypeScript as shiki highlights it, in a light and a dark colour per token. */
export async function openHighlighter(): Promise<Highlight> {
  opened ??= open();
  const highlighter = await opened;
  return (code) =>
    highlighter.codeToHtml(code, {
      lang: "typescript",
      themes: THEMES,
      defaultColor: false,
      transformers: [{ pre: (node) => void (node.properties = { class: "shiki", tabindex: "0" }) }],
    });
}

async function open(): Promise<HighlighterCore> {
  const [{ createHighlighterCore }, { createJavaScriptRegexEngine }] = await Promise.all([
    import("shiki/core"),
    import("shiki/engine/javascript"),
  ]);
  return createHighlighterCore({
    langs: [import("shiki/langs/typescript.mjs")],
    themes: [
      import("shiki/themes/github-light-high-contrast.mjs"),
      import("shiki/themes/github-dark-high-contrast.mjs"),
    ],
    engine: createJavaScriptRegexEngine(),
  });
}
