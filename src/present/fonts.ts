import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Font } from "opentype.js";

// Pictures carry no fonts and a fresh machine has none, so the DejaVu files of an npm package do for both measuring and
// drawing: what was measured is what is drawn.

const files = {
  regular: "DejaVuSans.ttf",
  bold: "DejaVuSans-Bold.ttf",
  italic: "DejaVuSans-Oblique.ttf",
  boldItalic: "DejaVuSans-BoldOblique.ttf",
  mono: "DejaVuSansMono.ttf",
} as const;

type Face = keyof typeof files;

// The parser is loaded with the first font: most cells that import this library draw nothing.
const require = createRequire(import.meta.url);

function fontPath(face: Face): string {
  const manifest = require.resolve("dejavu-fonts-ttf/package.json");
  return join(dirname(manifest), "ttf", files[face]);
}

/** Paths of the font files that the PNG renderer is given. */
export function fontFiles(): string[] {
  return (Object.keys(files) as Face[]).map(fontPath);
}

const fonts = new Map<Face, Font>();

function font(face: Face): Font {
  let loaded = fonts.get(face);
  if (!loaded) {
    const bytes = readFileSync(fontPath(face));
    const { parse } = require("opentype.js") as typeof import("opentype.js");
    loaded = parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    fonts.set(face, loaded);
  }
  return loaded;
}

/** What decides a text's width. */
export interface TextStyle {
  /** in pixels */
  size: number;
  bold?: boolean;
  italic?: boolean;
}

/** Width of `text` in pixels: the sum of its glyphs' advances (kerning, well under a percent in this font, left aside). */
export function textWidth(text: string, style: TextStyle): number {
  const face = style.bold ? (style.italic ? "boldItalic" : "bold") : style.italic ? "italic" : "regular";
  const used = font(face);
  let units = 0;
  for (const character of text) units += used.charToGlyph(character).advanceWidth ?? 0;
  return (units / used.unitsPerEm) * style.size;
}

/** `text` broken at spaces into lines of at most `width` pixels; a word that is longer stands on a line of its own. */
export function wrapText(text: string, width: number, style: TextStyle): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line ? `${line} ${word}` : word;
    if (line && textWidth(longer, style) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return line ? [...lines, line] : lines;
}
