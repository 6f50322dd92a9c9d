/** Letters of other scripts that stand in for Latin ones in disguised words. */
const lookalikes: Readonly<Record<string, string>> = {
  а: "a",
  е: "e",
  о: "o",
  р: "p",
  с: "c",
  у: "y",
  х: "x",
  і: "i",
  ѕ: "s",
  ο: "o",
  α: "a",
  "‘": "'",
  "’": "'",
  "‛": "'",
  "“": '"',
  "”": '"',
  "–": "-",
  "—": "-",
};

/** Digits and signs that stand in for letters, only where they touch a letter: "idi0t", "$tupid", "cr@p". */
const standIns: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
};

const lookalike = new RegExp(`[${Object.keys(lookalikes).join("")}]`, "gu");
const marks = /[\p{M}\p{Cf}]/gu;
const nonAscii = /[^\x00-\x7f]/;
const address = /\b(?:https?:\/\/|www\.)\S+/g;
const disguised = /[\p{L}\p{N}@$]*(?:\p{L}[01345$@7]|[01345$@7]\p{L})[\p{L}\p{N}@$]*/gu;
const standIn = /[013457@$]/g;
const spelledOut = /(?<![\p{L}\p{N}])\p{L}(?:[ .\-_]\p{L}){3,}(?![\p{L}\p{N}])/gu;
const elongated = /([^\d\s])\1{2,}/gu;
const number = /\p{N}+/gu;
const space = /[\s\p{C}]+/gu;

/**
 * The form of `text` that the scorer reads, and by which two texts count as the same: lower case without accents or
 * invisible characters, look-alike letters and letter-like digits resolved ("idi0t" → "idiot"), spelled-out words
 * joined ("i d i o t" → "idiot"), runs of a character cut to two, numbers to "0", addresses to "url", white space
 * to single spaces. Empty for a text with nothing to read.
 */
export function normaliseText(text: string): string {
  let result = text;
  if (nonAscii.test(result)) {
    result = result
      .normalize("NFKD")
      .replace(marks, "")
      .toLowerCase()
      .replace(lookalike, (letter) => lookalikes[letter] ?? letter);
  } else {
    result = result.toLowerCase();
  }
  return result
    .replace(address, " url ")
    .replace(disguised, (word) => word.replace(standIn, (sign) => standIns[sign] ?? sign))
    .replace(spelledOut, (letters) => letters.replace(/[ .\-_]/g, ""))
    .replace(elongated, "$1$1")
    .replace(number, "0")
    .replace(space, " ")
    .trim();
}
