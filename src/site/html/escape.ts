import { escape as escapeHtml } from "html-escaper";

/** A value for machines inside of a page; the text cannot end the script element that holds it. */
export function dataIsland(id: string, value: unknown): string {
  const json = JSON.stringify(value).replace(/</g, "\\u003c");
  return `<script type="application/json" id="${escapeHtml(id)}">${json}</script>`;
}

/** An address below the page's own folder. */
export function address(...parts: string[]): string {
  return escapeHtml(parts.map(encodeURIComponent).join("/"));
}
