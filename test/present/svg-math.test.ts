import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { svgMath, typesetSvg } from "../../src/present/svg-math.js";

const words = (svg: string) => svg.replace(/<[^>]+>/g, "");
/** Where each piece stands, in ems of the whole line's text. */
function heights(svg: string): number[] {
  let height = 0;
  return [...svg.matchAll(/<tspan dy="(-?[\d.]+)em"(?: font-size="([\d.]+)em")?>/g)].map(
    ([, dy, size]) => (height += Number(dy) * Number(size ?? 1)),
  );
}

describe("mathematics in a figure", () => {
  it("sets an index below and an exponent above, and goes on along the line", () => {
    expect(svgMath("cosine with W_toxic")).toBe(
      'cosine with W<tspan dy="0.306em" font-size="0.72em">toxic</tspan>',
    );
    const whole = svgMath("− MLP.v_770^19 and U_toxic[0]");
    expect(words(whole)).toBe("− MLP.v77019 and Utoxic[0]");
    const seen = heights(whole);
    [0.22, -0.38, 0, 0.22, 0].forEach((height, i) => expect(seen[i]).toBeCloseTo(height, 2));
  });

  it("leaves other text as it is, names with underscores too", () => {
    for (const text of ["layer", "blocks.0.hook_mlp_out", "a &amp; b", "2^8", ""])
      expect(svgMath(text)).toBe(text);
  });

  it("loses no word of any text and comes back to the line", () => {
    const part = fc.constantFrom("W_toxic", "MLP.v_1^2", "e_w", " · ", "plain", "x_", "_y", "^");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const text = parts.join(" ");
        const set = svgMath(`${text} end`);
        expect(words(set).replace(/[_^]/g, "")).toBe(`${text} end`.replace(/[_^]/g, ""));
        expect(heights(set).at(-1) ?? 0).toBeCloseTo(0, 2);
      }),
    );
  });

  it("is set in the text of a drawing only, not in its attributes", () => {
    const drawing = '<g aria-label="W_toxic"><text x="1">W_toxic</text><text>plain</text></g>';
    expect(typesetSvg(drawing)).toBe(
      '<g aria-label="W_toxic"><text x="1">W<tspan dy="0.306em" font-size="0.72em">toxic</tspan></text><text>plain</text></g>',
    );
  });
});
