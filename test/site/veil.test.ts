import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escape as escapeHtml } from "html-escaper";
import { encodeWord, veil } from "../../src/site/html/veil.js";

describe("veiling a page", () => {
  it("stars out offensive words in text and keeps each beside its stars", () => {
    expect(veil("<p>What a crap, SHIT!</p>")).not.toMatch(/shit/i);
    expect(veil("<p>shit</p>")).toBe(
      `<p><span class="veiled" data-word="${encodeWord("shit")}">s**t</span></p>`,
    );
  });

  it("stars out what is read aloud, and leaves addresses, classes and encoded pictures alone", () => {
    expect(veil('<img alt="a shit chart" src="data:image/png;base64,9ass+shit/">')).toBe(
      '<img alt="a s**t chart" src="data:image/png;base64,9ass+shit/">',
    );
    expect(veil('<a href="#shit" class="ass">tea</a>')).toBe('<a href="#shit" class="ass">tea</a>');
  });

  it("leaves scripts and data as they are", () => {
    const island = '<script type="application/json" id="x">{"shit":1}</script>';
    expect(veil(island)).toBe(island);
  });

  it("changes nothing in a page without such words, whatever it holds", () => {
    const harmless = fc.array(
      fc.constantFrom("tea", "class", "assess", "Scunthorpe", "&", "<", ">", "é", "1", " ", '"'),
    );
    fc.assert(
      fc.property(harmless, (parts) => {
        const html = `<p title="${escapeHtml(parts.join(" "))}">${escapeHtml(parts.join(" "))}</p>`;
        expect(veil(html)).toBe(html);
      }),
    );
  });
});
