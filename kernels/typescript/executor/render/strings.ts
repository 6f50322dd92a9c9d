import type { Renderer } from "./renderer.js";
import { textOnly } from "./renderer.js";
import { clip } from "./words.js";

const longestString = 8_000_000;
const mostBigIntDigits = 2000;

/**
 * A string bare and whole, as one prints text to read it; never taken for HTML. A bigint of thousands of digits by its
 * beginning in hexadecimal, since decimal digits take time that grows with the square of their number.
 */
export const strings: Renderer = {
  what: "text",
  render(value) {
    if (typeof value === "string") return textOnly(clip(value, longestString));
    if (typeof value !== "bigint") return undefined;
    const sign = value < 0n ? "-" : "";
    const hex = (value < 0n ? -value : value).toString(16);
    if (hex.length <= mostBigIntDigits) return textOnly(`${value}n`);
    return textOnly(`${sign}0x${clip(hex, 100).replace(/character/, "hexadecimal digit")}`);
  },
};
