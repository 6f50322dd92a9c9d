import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../data/paths";

/** A page of plain HTML: its style is in it, and its policy lets it run nothing and ask nobody for anything. */
export function page(title: string, body: string): string {
  const style = readFileSync(join(projectRoot(), "src", "site", "style.css"), "utf8");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>
${style}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** Text that may stand anywhere in a page. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
