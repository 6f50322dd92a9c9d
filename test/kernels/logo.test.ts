import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";

const folder = join(projectRoot(), "kernels", "alignscope");

/** What a picture is when it is drawn; `width` undefined: in its own size. */
function drawn(svg: string, width?: number) {
  const image = new Resvg(svg, width ? { fitTo: { mode: "width", value: width } } : {}).render();
  return { width: image.width, height: image.height, pixels: image.pixels };
}

// After a change of the SVG: new Resvg(svg, { fitTo: { mode: "width", value: 64 } }).render().asPng(), and with 32.
it.each([32, 64])("the kernel's logo as PNG of %i pixels is what its SVG renders to", (size) => {
  const png = readFileSync(join(folder, `logo-${size}x${size}.png`));
  // Width and height as the PNG's own header has them.
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([size, size]);
  const wanted = drawn(readFileSync(join(folder, "logo-svg.svg"), "utf8"), size);
  const kept = drawn(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">` +
      `<image width="${size}" height="${size}" href="data:image/png;base64,${png.toString("base64")}"/></svg>`,
  );
  expect([kept.width, kept.height]).toEqual([wanted.width, wanted.height]);
  const difference = wanted.pixels.reduce(
    (sum, value, i) => sum + Math.abs(value - (kept.pixels[i] ?? 0)),
    0,
  );
  // Machines may round edges differently; another picture is far away.
  expect(difference / wanted.pixels.length).toBeLessThan(1);
});
