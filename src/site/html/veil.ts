import { isOffensive, mask } from "../../present/index.js";
import { escape as escapeHtml } from "html-escaper";

/** Scripts and style sheets as a whole, or a tag: what is between is text. */
const MARKUP = /(<(script|style)\b[^>]*>[\s\S]*?<\/\2>|<[^>]*>)/gi;

const SPOKEN_ATTRIBUTES = /\b(alt|title|aria-label)="([^"]*)"/g;

/**
 * A page's HTML with every offensive word starred out and the word itself beside it, encoded, for the switch that shows
 * words: it is not in what is read aloud, found or copied before. In attributes, where no switch reaches, it is starred
 * for good. Only for HTML of our own making or out of {@link sanitize}: no `>` inside of attributes.
 */
export function veil(html: string): string {
  let result = "";
  let end = 0;
  for (const match of html.matchAll(MARKUP)) {
    result += veilText(html.slice(end, match.index));
    result += match[2] ? match[0] : veilAttributes(match[0]);
    end = match.index + match[0].length;
  }
  return result + veilText(html.slice(end));
}

/** The word as the page's script reads it. */
export function encodeWord(word: string): string {
  return Buffer.from(word, "utf8").toString("base64");
}

function veilText(text: string): string {
  return text.replace(/\p{L}+/gu, (word) =>
    offensive(word)
      ? `<span class="veiled" data-word="${encodeWord(word)}">${escapeHtml(mask(word, { show: false }))}</span>`
      : word,
  );
}

function veilAttributes(tag: string): string {
  return tag.replace(
    SPOKEN_ATTRIBUTES,
    (_all, name: string, value: string) => `${name}="${mask(value, { show: false })}"`,
  );
}

const known = new Map<string, boolean>();

/** The same words come again thousands of times in a site. */
function offensive(word: string): boolean {
  const seen = known.get(word);
  if (seen !== undefined) return seen;
  const found = isOffensive(word);
  known.set(word, found);
  return found;
}
