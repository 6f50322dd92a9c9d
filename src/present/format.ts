/**
 * Numbers as readers see them. Only rendering rounds: the data files beside a table or figure keep full precision.
 * The minus sign is U+2212 in rendered text, so that a negative number lines up with a positive one.
 */

const MINUS = "\u2212";

/** How a number in a column is written. */
export interface NumberStyle {
  /** Decimals after the point; without it, three significant digits. */
  digits?: number;
  /** "percent": 0.418 becomes 41.8 %; "signed": a plus or minus sign always stands in front. */
  kind?: "number" | "percent" | "signed";
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  return undefined;
}

/** `-0.00` is `0.00`: a sign without a digit behind it says nothing. */
function withMinus(text: string): string {
  const positive = text.replace(/^-/, "");
  if (positive === text) return text;
  return /[1-9]/.test(positive.replace(/e.*$/, "")) ? MINUS + positive : positive;
}

/** Thousands separated by commas in the whole part, from five figures on (a four-figure number reads well as it is). */
function grouped(text: string): string {
  const match = /^(\D?)(\d{5,})(\..*)?$/.exec(text);
  if (!match) return text;
  return `${match[1] ?? ""}${(match[2] ?? "").replace(/\B(?=(\d{3})+$)/g, ",")}${match[3] ?? ""}`;
}

/**
 * `digits` significant digits; powers of ten below 0.0001 and from a million on.
 *
 * @example significant(0.24512) // "0.245"
 * @example significant(1199) // "1199": whole numbers below a million are written whole
 */
export function significant(value: number, digits = 3): string {
  const odd = special(value);
  if (odd !== undefined) return odd;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    const [mantissa = "", exponent = "0"] = value.toExponential(digits - 1).split("e");
    return `${withMinus(mantissa)}e${withMinus(exponent.replace("+", ""))}`;
  }
  if (Number.isInteger(value)) return grouped(withMinus(String(value)));
  const whole = Math.floor(Math.log10(size)) + 1;
  return grouped(withMinus(value.toFixed(Math.max(0, digits - whole))));
}

/** Exactly `digits` decimals. @example fixed(21.7, 2) // "21.70" */
export function fixed(value: number, digits: number): string {
  return special(value) ?? grouped(withMinus(value.toFixed(digits)));
}

/** A share of one as a percentage. @example percent(0.4181) // "41.8 %" */
export function percent(share: number, digits = 1): string {
  return special(share) ?? `${fixed(share * 100, digits)}\u00a0%`;
}

/** With a sign in front always, for differences; zero (after rounding) bears none. @example signed(0.0123, 3) // "+0.012" */
export function signed(value: number, digits?: number): string {
  const text = digits === undefined ? significant(value) : fixed(value, digits);
  return value > 0 && /[1-9∞]/.test(text.replace(/e.*$/, "")) ? `+${text}` : text;
}

/** One number in the style of its column. */
export function formatNumber(value: number, style: NumberStyle = {}): string {
  if (style.kind === "percent") return percent(value, style.digits);
  if (style.kind === "signed") return signed(value, style.digits);
  return style.digits === undefined ? significant(value) : fixed(value, style.digits);
}

/** A span of time in the words of a progress line. @example duration(75_000) // "1 min 15 s" */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}
