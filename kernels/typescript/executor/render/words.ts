import { inspect } from "node:util";

/** `text`, cut after `most` UTF-16 units with a word on how much is missing. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  // Half of a surrogate pair would be shown as a box.
  const end = /[\uD800-\uDBFF]/.test(text.charAt(most - 1)) ? most - 1 : most;
  return `${text.slice(0, end)}… ${count(text.length - end, "more character")}`;
}

/** "1 row", "1,234 rows". */
export function count(amount: number, noun: string): string {
  return `${amount.toLocaleString("en-US")} ${noun}${amount === 1 ? "" : "s"}`;
}

/** What an error says, in one line of bounded length, whatever was thrown: also what cannot be read without throwing again. */
export function oneLine(error: unknown): string {
  try {
    const text =
      error instanceof Error
        ? `${error.name}${error.message ? `: ${error.message}` : ""}`
        : inspect(error, { depth: 0, maxStringLength: 300 });
    return shortened(text.trim().split("\n", 1)[0] ?? "", 300);
  } catch {
    return "an error that cannot be read";
  }
}

/** `text`, cut to `most` characters with a mark. */
export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
