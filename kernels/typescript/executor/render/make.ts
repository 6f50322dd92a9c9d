import { UserError } from "@alignscope/base/errors";
import { imageHeader } from "./image-header.js";
import { imageText } from "./images.js";
import { clip } from "./words.js";
import { size } from "@alignscope/base/size";

/** Something that a cell can end with, or that an object's own method can return, to be shown as more than text. */
export interface Displayable {
  toMimeBundle(): Record<string, string | Uint8Array>;
}

function displayable(bundle: Record<string, string | Uint8Array>): Displayable {
  return { toMimeBundle: () => bundle };
}

/** HTML, shown as a page would. Where a client shows text only, its source. */
export function html(text: string): Displayable {
  return displayable({ "text/html": text, "text/plain": clip(text, 2000) });
}

/** Markdown, with mathematics between dollar signs where the client knows it. */
export function markdown(text: string): Displayable {
  return displayable({ "text/markdown": text, "text/plain": text });
}

/** A formula or another piece of LaTeX that MathJax or KaTeX sets. Put it between dollar signs, as notebooks do: `latex("$e^x$")`. */
export function latex(text: string): Displayable {
  return displayable({ "text/latex": text, "text/plain": text });
}

/** A drawing in SVG. Throws a UserError on text that has no svg element. */
export function svg(text: string): Displayable {
  if (!/<svg[\s>]/.test(text)) {
    throw new UserError(
      `svg: got text without an <svg> element (${clip(text.trim(), 40)}); pass the whole drawing`,
    );
  }
  return displayable({
    "image/svg+xml": text,
    "text/plain": `[SVG drawing, ${size(Buffer.byteLength(text))}]`,
  });
}

/** A picture: the bytes of a PNG, JPEG, GIF or WebP file. Throws a UserError on others. */
export function image(bytes: Uint8Array): Displayable {
  const header = imageHeader(bytes);
  if (!header) {
    const start = Buffer.from(bytes.slice(0, 8)).toString("hex");
    throw new UserError(
      `image: got ${size(bytes.length)} that begin with ${start || "nothing"}, expected the bytes of a PNG, JPEG, GIF or WebP file`,
    );
  }
  return displayable({ [header.type]: bytes, "text/plain": imageText(bytes, header) });
}
