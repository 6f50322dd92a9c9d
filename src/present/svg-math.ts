import { notation } from "./table-formats.js";

/** Size of indices and exponents, and how far they stand below and above the line, in ems of the text around them. */
const SMALL = 0.72;
const BELOW = 0.22;
const ABOVE = -0.38;

/**
 * Plain mathematical notation in a line of SVG text set as such: W_toxic, MLP.v_770^19, e_w. Shifts are relative, which
 * every renderer knows, where a `baseline-shift` is not.
 *
 * @param text already escaped for XML
 * @returns contents of a `text` or `tspan` element
 * @example svgMath("cosine with W_toxic") // 'cosine with W<tspan dy="0.306em" font-size="0.72em">toxic</tspan>'
 */
export function svgMath(text: string): string {
  let height = 0;
  /** A piece at a height above the line; every shift starts from where the piece before it stood. */
  const piece = (content: string, to: number, size = 1): string => {
    if (content === "") return "";
    const shift = to - height;
    height = to;
    const font = size === 1 ? "" : ` font-size="${size}em"`;
    return shift === 0 && size === 1
      ? content
      : `<tspan dy="${Number((shift / size).toFixed(3))}em"${font}>${content}</tspan>`;
  };
  const parts: string[] = [];
  let from = 0;
  for (const match of text.matchAll(notation)) {
    const [whole, symbol = "", index = "", exponent = ""] = match;
    parts.push(piece(text.slice(from, match.index) + symbol, 0));
    parts.push(piece(index, BELOW, SMALL), piece(exponent, ABOVE, SMALL));
    from = match.index + whole.length;
  }
  return parts.join("") + piece(text.slice(from), 0);
}

/** {@link svgMath} in every `text` element of a drawing that holds nothing but words. */
export function typesetSvg(drawing: string): string {
  return drawing.replace(
    /(<text\b[^>]*>)([^<]*_[^<]*)(<\/text>)/g,
    (_, open: string, text: string, close: string) => open + svgMath(text) + close,
  );
}
