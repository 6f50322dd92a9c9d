/**
 * The sentences of a WikiText file (Merity et al. 2016), in order, as they stand there: `A cat , it is said . ` has spaces
 * around its punctuation marks, and so have the sentences. Headings are left out.
 *
 * A mark that stands alone ends a sentence; those of abbreviations (`Mr.`, `J. R.`) cling to their word. A quotation mark
 * or bracket behind it belongs to the sentence when it closes something.
 */
export function wikitextSentences(text: string): string[] {
  const sentences: string[] = [];
  for (const line of text.split("\n")) {
    if (/^\s*=.*=\s*$/.test(line)) continue;
    // What begins with a sign is a legend or a formula.
    sentences.push(...sentencesOf(line).filter((sentence) => /^[\p{L}\p{N}"'(]/u.test(sentence)));
  }
  return sentences;
}

function sentencesOf(line: string): string[] {
  const words = line.split(" ").filter((word) => word.trim() !== "");
  const sentences: string[] = [];
  let [begin, open] = [0, 0];
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? "";
    if (word === '"') open = 1 - open;
    if (!/^[.?!]$/.test(word)) continue;
    let end = i + 1;
    while ((words[end] === '"' && open === 1) || words[end] === ")" || words[end] === "'") {
      if (words[end] === '"') open = 0;
      end += 1;
    }
    if (end < words.length && !/^[\p{Lu}\p{N}"'(]/u.test(words[end] ?? "")) continue;
    sentences.push(words.slice(begin, end).join(" "));
    begin = end;
    i = end - 1;
  }
  if (begin < words.length) sentences.push(words.slice(begin).join(" "));
  return sentences;
}
