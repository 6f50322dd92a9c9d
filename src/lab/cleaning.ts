/*
 * Turning what the data sets carry (escaped CSV, Wikipedia talk-page markup, WikiText's spacing, tagged words) into
 * plain English prose. A model of 6.1M parameters has no capacity to spare for markup.
 */

/** What may stay: ASCII, Latin letters with accents, and the typographic marks of English. */
const FOREIGN = /[^\x20-\x7e\n\u00a3\u00a9\u00b0\u00b7\u00bd\u00c0-\u00ffāēīōūčćłńśšžőşğ‘’“”–—…€]/gu;

const ENTITIES: Record<string, string> = {
  quot: '"',
  amp: "&",
  lt: "<",
  gt: ">",
  nbsp: " ",
  apos: "'",
  ndash: "–",
  mdash: "—",
};

/** Replaces HTML entities by their characters and drops HTML tags. */
export function unescapeHtml(text: string): string {
  return text
    .replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .replace(/&#(\d{2,5});/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/<\/?[a-z][^<>]{0,200}>/gi, " ");
}

/** Typographic quotes and apostrophes to ASCII ones. */
export function straightenQuotes(text: string): string {
  return text
    .replace(/[“”„«»]|``|''/g, '"')
    .replace(/[‘’‚`´]/g, "'")
    .replace(/…/g, "...");
}

/** ASCII quotes and apostrophes to typographic ones, as books and newspapers print them. */
export function curlQuotes(text: string): string {
  return text
    .replace(/(^|[\s([{–—-])"/g, "$1“")
    .replace(/"/g, "”")
    .replace(/(^|[\s([{“–—-])'(?=\w)/g, "$1‘")
    .replace(/'/g, "’");
}

/** Drops what Wikipedia's talk pages have besides words: headings, links, templates, signatures, indentation. */
export function stripWikiMarkup(text: string): string {
  return text
    .replace(/\{\|[\s\S]*?\|\}/g, " ")
    .replace(/\{\{[^{}]*\}\}/g, " ")
    .replace(/\[\[(?:File|Image|Category)[^\]]*\]\]/gi, " ")
    .replace(/\[\[(?:[^\]|]*\|)?([^\]|]*)\]\]/g, "$1")
    .replace(/\[?(?:https?:\/\/|www\.)[^\s\]]+(?:\s([^\]]*)\])?/gi, " $1 ")
    .replace(/\[\[|\]\]|\{\{|\}\}/g, " ")
    .replace(/\bhttps? ?: ?\/ ?\/(?: ?[\w.-]+(?: ?\. ?[\w-]+)* ?\/)* ?[\w-]*/gi, " ")
    .replace(/={2,}[^=\n]{0,120}={2,}/g, " ")
    .replace(/={2,}|'{2,}|~{3,}|\|{1,}|_{2,}|-{4,}/g, " ")
    .replace(/(?:--|—|–|•|·|\()?\s*\(?(?:talk|contribs?|email)(?:\s*[•·|]\s*\w+)*\s*\)/gi, " ")
    .replace(
      /(?:\d{1,2}:\d{2},?\s*)?(?:\d{1,2}\s+\w{3,9},?\s+\d{4}|\w{3,9}\s+\d{1,2},?\s+\d{4}|\d{4}\s+\w{3,9}\s+\d{1,2})?\s*\(UTC\)/g,
      " ",
    )
    .replace(/\d{1,2}:\d{2}, (?:\d{1,2} \w{3,9}|\w{3,9} \d{1,2}),? \d{4}/g, " ")
    .replace(
      /(?:the )?preceding (?:\[?unsigned\]?|comment)[^.]{0,80}?(?:added|comment) (?:was added )?(?:by|at)\s*\S*/gi,
      " ",
    )
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, " ")
    .replace(/\b(?:User|Wikipedia|WP|Template|Special|Talk)( talk)?:\S+/g, " ")
    .replace(/(^|\n|\s{2})\s*[:*#;]+\s*/g, "$1 ");
}

/** Undoes a tokeniser's spacing: WikiText's ` @-@ `, blanks before punctuation and inside brackets and quotes. */
export function detokenise(text: string): string {
  let open = false;
  return text
    .replace(/ @([-,.])@ /g, "$1")
    .replace(/ +([,.;:!?%)\]}]|\.\.\.)/g, "$1")
    .replace(/([([{$£]) +/g, "$1")
    .replace(/(\d) ?([:,]) (?=\d)/g, (whole, before: string, sign: string) =>
      sign === ":" ? `${before}:` : whole,
    )
    .replace(/ +(['’](?:s|re|ve|ll|d|m|t)\b|n't\b)/gi, "$1")
    .replace(/(\w) '(?=\s)/g, "$1'")
    .replace(/ ?" ?/g, (found, at: number, whole: string) => {
      // A quote opens at the start and after a blank; each next one closes what the one before opened.
      open = !open;
      if (at === 0) return '"';
      const before = found.startsWith(" ") ? " " : "";
      const after = at + found.length < whole.length && found.endsWith(" ") ? " " : "";
      if (!before && !after) return '"';
      return open ? `${before || " "}"` : `"${after}`;
    });
}

/** Shortens shouting and spam: "soooooo" → "so", "!!!!!!" → "!!!", a phrase said over and over → said twice. */
export function collapseRepeats(text: string): string {
  const words = text
    .replace(/(\p{L})\1{3,}/gu, "$1")
    .replace(/([^\p{L}\p{N}\s])\1{3,}/gu, "$1$1$1")
    .split(" ");
  const kept: string[] = [];
  for (const word of words) {
    kept.push(word);
    for (let period = 1; period <= 12; period++) {
      const end = kept.length;
      if (end < 3 * period) break;
      let repeats = true;
      for (let i = 1; i <= period && repeats; i++) {
        const last = kept[end - i]?.toLowerCase();
        repeats =
          last === kept[end - i - period]?.toLowerCase() &&
          last === kept[end - i - 2 * period]?.toLowerCase();
      }
      if (repeats) {
        kept.length = end - period;
        break;
      }
    }
  }
  return kept.join(" ");
}

/** Text that is mostly capitals in sentence case, so that its words are the same tokens as everyone else's. */
export function calmCapitals(text: string): string {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const capitals = text.match(/\p{Lu}/gu)?.length ?? 0;
  return letters >= 6 && capitals > 0.6 * letters ? sentenceCase(text.toLowerCase()) : text;
}

/** Capital letters at the start of sentences and for the word I. */
export function sentenceCase(text: string): string {
  return text
    .replace(
      /(^["“'(]*|[.!?]["”')]*\s+["“'(]*)(\p{Ll})/gu,
      (_, before: string, letter: string) => before + letter.toUpperCase(),
    )
    .replace(/(^|[\s"“(])i(?=$|['’\s,.!?;:])/g, "$1I")
    .replace(/(^|[\s"“(])im(?=\s)/g, "$1I'm");
}

/** Single blanks, no empty brackets, no foreign scripts, no words nobody could read. Newlines stay. */
export function tidy(text: string): string {
  return text
    .normalize("NFC")
    .replace(/\u00a0/g, " ")
    .replace(FOREIGN, "")
    .replace(/[([{][\s,;:.–-]*[)\]}]|"\s*"/g, "")
    .replace(/\S{31,}/g, " ")
    .replace(/[^\S\n]+/g, " ")
    .replace(/ +([,;:!?](?:\s|$)|\.(?!\S))/g, "$1")
    .replace(/ *\n\s*/g, "\n")
    .trim();
}

/** Drops a pair of quotes around the whole text, or a stray one at its end or start; not `"this" and "that"`. */
export function stripOuterQuotes(text: string): string {
  const trimmed = text.trim();
  const inner = trimmed.replace(/^"\s*/, "").replace(/\s*"$/, "");
  const count = (inner.match(/"/g) ?? []).length;
  const outer = (trimmed.match(/"/g) ?? []).length;
  const opensInside = !/^[^"]*[^\s"([]"/.test(inner);
  return outer % 2 === 1 || (outer - count === 2 && opensInside) ? inner.trim() : trimmed;
}

/**
 * Whether a text says one thing over and over: fewer than half of its runs of three words are distinct. What
 * {@link collapseRepeats} cannot shorten, because words are glued together or vary, a model would learn by heart.
 */
export function isRepetitive(text: string): boolean {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const runs = words.slice(2).map((word, i) => `${words[i]} ${words[i + 1]} ${word}`);
  return words.length >= 30 && new Set(runs).size < runs.length / 2;
}

/** Whether a text reads as English prose: long enough, mostly letters, hardly any foreign ones. */
export function isProse(text: string, minimumWords = 3): boolean {
  const letters = text.match(/[A-Za-z]/g)?.length ?? 0;
  const blanks = text.match(/\s/g)?.length ?? 0;
  const words = text.split(/\s+/).length;
  if (words < minimumWords || letters + blanks < 0.8 * text.length) return false;
  return letters / words > 2 && letters / words < 9 && /[aeiouy]/i.test(text);
}

/** Pieces of at most `limit` characters, cut at paragraphs if it can be, else between sentences, else between words. */
export function splitLong(text: string, limit: number): string[] {
  if (text.length <= limit) return [text];
  const pieces: string[] = [];
  let piece = "";
  const units = text.match(/[^\n.!?]*(?:[.!?]+["”')\]]*(?=\s)|\n+|[.!?]+|$)\s*/g) ?? [text];
  for (const unit of units) {
    if (piece !== "" && piece.length + unit.length > limit) {
      pieces.push(piece.trim());
      piece = "";
    }
    piece += unit;
    while (piece.length > limit) {
      const cut = piece.lastIndexOf(" ", limit);
      const at = cut > limit / 2 ? cut : limit;
      pieces.push(piece.slice(0, at).trim());
      piece = piece.slice(at);
    }
  }
  if (piece.trim() !== "") pieces.push(piece.trim());
  return pieces.filter((part) => part !== "");
}

/** {@link splitLong} into pieces of about the same length, so that no short rest is left at the end. */
export function splitEvenly(text: string, limit: number): string[] {
  const pieces = Math.ceil(text.length / limit);
  return pieces < 2 ? [text] : splitLong(text, Math.min(limit, Math.ceil(text.length / pieces) + EVEN_SLACK));
}

/** Room for the sentence that straddles the even cut. */
const EVEN_SLACK = 60;

/** A full stop where a text ends in a word. */
export const endSentence = (text: string): string => (/[\p{L}\p{N}]$/u.test(text) ? `${text}.` : text);
