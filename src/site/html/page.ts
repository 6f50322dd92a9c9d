import { escape as escapeHtml } from "html-escaper";
import { veil } from "./veil.js";

/**
 * Scripts, styles and pictures of the site itself, fonts and pictures that are in the page; nothing from anywhere else,
 * nothing that a notebook's output could bring along, no form and no request. `file:` is what `'self'` means from disk.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' file:",
  "style-src 'self' file: 'unsafe-inline'",
  "img-src 'self' file: data:",
  "font-src 'self' file: data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** What a page consists of. */
export interface PageParts {
  title: string;
  description?: string;
  /** the header's bar, with the switches */
  header: string;
  /** the list of pages and sections; "" for a page without */
  navigation: string;
  main: string;
  /** names of style sheets in assets/ beside the site's own */
  styles?: readonly string[];
  /** e.g. "report", for the style sheet */
  kind: string;
  /** whether the page has switches, search and interactive charts */
  interactive: boolean;
}

/** A page of the site, words veiled. */
export function page({
  title,
  description,
  header,
  navigation,
  main,
  styles = [],
  kind,
  interactive,
}: PageParts): string {
  const sheets = ["site.css", ...styles].map((name) => `<link rel="stylesheet" href="assets/${name}">`);
  // The theme is set before anything is drawn; everything else can wait.
  const scripts = interactive
    ? ['<script src="assets/theme.js"></script>', '<script src="assets/page.js" defer></script>']
    : [];
  const about = description ? [`<meta name="description" content="${escapeHtml(description)}">`] : [];
  const body = [
    '<a class="skip" href="#main">Skip to the text</a>',
    header,
    `<div class="layout">`,
    navigation,
    `<main id="main" tabindex="-1">\n${main}\n</main>`,
    `</div>`,
  ].filter(Boolean);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
${about.join("\n")}
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
${[...sheets, ...scripts].join("\n")}
</head>
<body class="${kind}">
${veil(body.join("\n"))}
</body>
</html>
`;
}
