import { plainText } from "./plain.js";
import type { Renderer } from "./renderer.js";
import { textOnly } from "./renderer.js";
import { count } from "./words.js";
import { size } from "@alignscope/base/size";

/** Fewer need no summary: the eye is as quick. */
const fewest = 10;
/** Looked through for the summary: some hundredths of a second. */
const mostRead = 20_000_000;

/** Typed arrays and buffers: kind, length and first values as Node.js prints them, then their range. */
export const numbers: Renderer = {
  what: "an array of numbers",
  render(value) {
    if (!ArrayBuffer.isView(value) || value instanceof DataView) return undefined;
    const text = plainText(value);
    const array = value as unknown as ArrayLike<number | bigint>;
    if (Buffer.isBuffer(value)) return textOnly(array.length > 50 ? `${text}\n${size(array.length)}` : text);
    return textOnly(array.length > fewest ? `${text}\n${range(array)}` : text);
  },
};

function range(array: ArrayLike<number | bigint>): string {
  const length = Math.min(array.length, mostRead);
  let least: number | bigint | undefined;
  let most: number | bigint | undefined;
  let missing = 0;
  for (let index = 0; index < length; index += 1) {
    const item = array[index] as number | bigint;
    if (item !== item) missing += 1;
    else {
      if (least === undefined || item < least) least = item;
      if (most === undefined || item > most) most = item;
    }
  }
  const parts = least === undefined ? [] : [`min ${least}`, `max ${most}`];
  if (missing > 0) parts.push(`${missing.toLocaleString("en-US")} NaN`);
  const part = length < array.length ? ` (of the first ${count(length, "value")})` : "";
  return `${parts.join(", ")}${part}`;
}
