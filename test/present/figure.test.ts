import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { parse } from "csv-parse/sync";
import { afterEach, describe, expect, it, vi } from "vitest";
import { figure } from "../../src/present/figure.js";
import { textWidth, wrapText } from "../../src/present/fonts.js";
import { mask } from "../../src/present/mask.js";
import { paperTable } from "../../src/present/paper-values.js";
import { frameSvg, svgToPng } from "../../src/present/render.js";
import { lookEncoding, mergeConfig, modelLooks, palette } from "../../src/present/theme.js";

const made: string[] = [];
afterEach(() => made.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));
function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "present-"));
  made.push(folder);
  return folder;
}

const data = [
  { layer: 0, model: "GPT-2", probability: 0.01 },
  { layer: 1, model: "GPT-2", probability: 0.123456789012345 },
  { layer: 2, model: "GPT-2", probability: 0.38 },
  { layer: 0, model: "DPO", probability: 0.01 },
  { layer: 1, model: "DPO", probability: 0.05 },
  { layer: 2, model: "DPO", probability: 0.1 },
];
const spec = {
  width: 360,
  height: 180,
  mark: { type: "line", point: true },
  encoding: {
    x: { field: "layer", type: "quantitative", title: "layer", axis: { tickMinStep: 1 } },
    y: { field: "probability", type: "quantitative", title: "mean probability" },
    ...lookEncoding("model", { names: ["GPT-2", "DPO"] }),
  },
};
const lens = figure({
  name: "figure-1",
  number: 1,
  title: "Logit lens",
  caption: "Mean probability of the token by layer, before & after <DPO>.",
  spec,
  data,
});

type IsColor = (r: number, g: number, b: number) => boolean;

/** A PNG's pixels, four bytes each, row by row. */
function pixels(png: Uint8Array): { width: number; height: number; bytes: Buffer } {
  const width = Buffer.from(png).readUInt32BE(16);
  const height = Buffer.from(png).readUInt32BE(20);
  const uri = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image width="${width}" height="${height}" href="${uri}"/></svg>`;
  return { width, height, bytes: new Resvg(svg).render().pixels };
}

/** Share of the pixels that `is` accepts between two heights (shares of the whole). */
function share(png: Uint8Array, from: number, to: number, is: IsColor): number {
  const { width, height, bytes } = pixels(png);
  const first = Math.floor(from * height) * width * 4;
  const end = Math.floor(to * height) * width * 4;
  let hits = 0;
  for (let at = first; at < end; at += 4)
    if (is(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0)) hits++;
  return hits / ((end - first) / 4);
}

const dark: IsColor = (r, g, b) => r < 110 && g < 110 && b < 110;
const near = (hex: string): IsColor => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((from) => parseInt(hex.slice(from, from + 2), 16));
  return (r, g, b) => Math.abs(r - red) < 12 && Math.abs(g - green) < 12 && Math.abs(b - blue) < 12;
};

describe("a figure", () => {
  it("draws the same SVG every time: title above, caption below, the house's looks", async () => {
    await expect(await lens.svg()).toMatchFileSnapshot("snapshots/figure-1.svg");
  });

  it("is named for screen readers and shares no ids with other figures", async () => {
    const svg = await lens.svg();
    expect(svg).toContain('<title id="figure-1-title">Figure 1. Logit lens.</title>');
    expect(svg).toContain("before &amp; after &lt;DPO&gt;.</desc>");
    for (const [, id] of svg.matchAll(/\bid="([^"]+)"/g)) expect(id).toMatch(/^figure-1-/);
    for (const [, id = "?"] of svg.matchAll(/url\(#([^)]+)\)/g)) expect(svg).toContain(`id="${id}"`);
  });

  it("shows text and both models' colours in the PNG, on a machine without fonts too", async () => {
    const png = await lens.png();
    const { width, height, bytes } = pixels(png);
    expect(width).toBeGreaterThan(900);
    expect(height).toBeGreaterThan(500);
    expect([...bytes.subarray(0, 4)]).toEqual([255, 255, 255, 255]);
    expect(share(png, 0, 1, near(palette.blue))).toBeGreaterThan(0.001);
    expect(share(png, 0, 1, near(palette.vermillion))).toBeGreaterThan(0.001);
    // the title's and the caption's letters; without them, hardly anything
    expect(share(png, 0, 0.12, dark)).toBeGreaterThan(0.005);
    expect(share(png, 0.88, 1, dark)).toBeGreaterThan(0.005);
    const untitled = await figure({ name: "figure-1", title: "", caption: "", spec, data }).png();
    expect(share(untitled, 0, 0.08, dark)).toBeLessThan(0.0005);
  });

  it("saves picture, data and specification; the CSV has every digit", async () => {
    const folder = temporary();
    await lens.save(folder);
    expect(readdirSync(join(folder, "figures")).sort()).toEqual([
      "figure-1.csv",
      "figure-1.json",
      "figure-1.png",
      "figure-1.svg",
      "figure-1.vl.json",
    ]);
    const read = (name: string): string => readFileSync(join(folder, "figures", name), "utf8");
    const rows: Record<string, string>[] = parse(read("figure-1.csv"), { columns: true });
    expect(
      rows.map((row) => ({ ...row, layer: Number(row["layer"]), probability: Number(row["probability"]) })),
    ).toEqual(data);
    expect(JSON.parse(read("figure-1.json"))).toEqual({
      name: "figure-1",
      number: "1",
      title: "Logit lens",
      caption: "Mean probability of the token by layer, before & after <DPO>.",
    });
    expect(JSON.parse(read("figure-1.vl.json"))).toMatchObject({
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: "Figure 1. Logit lens",
      data: { values: data },
    });
  });

  it("leaves nothing behind when the specification cannot be drawn, and says which figure", async () => {
    const folder = temporary();
    const broken = figure({ name: "broken", title: "", caption: "", data, spec: { mark: "no such mark" } });
    await expect(broken.save(folder)).rejects.toThrow(/^figure broken: .+/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("draws without data, and passes on what Vega warns about", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const empty = figure({ name: "empty", title: "Nothing", caption: "", data: [], spec });
    expect(await empty.svg()).toContain("Nothing.");
    const odd = figure({ name: "odd", title: "", caption: "", data, spec: { ...spec, mark: "bar" } });
    await odd.svg();
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^figure odd: .*shape/));
    warn.mockRestore();
  });

  it("masks words in pictures and specification, keeps them apart on the axis, and leaves them in the data", async () => {
    const worst = (paperTable("table-1").rows[0]?.["tokens"] as string[])[0] ?? "";
    const alike = `${worst}s`;
    const bars = figure({
      name: "words",
      title: `The word ${worst}`,
      caption: worst,
      data: [worst, alike, ` ${worst}`].map((token, index) => ({ token, cosine: 0.3 + index / 10 })),
      spec: {
        mark: "bar",
        encoding: { y: { field: "token" }, x: { field: "cosine", type: "quantitative" } },
      },
    });
    const svg = await bars.svg();
    for (const text of [svg, JSON.stringify(bars.vegaLite()), bars.text()]) expect(text).not.toContain(worst);
    expect(svg).toContain(mask(worst));
    expect(svg).toContain(mask(alike));
    expect(bars.csv()).toContain(worst);
  });

  it("lets a spec's own config win over the theme, key by key", () => {
    const own = figure({
      name: "own",
      title: "",
      caption: "",
      data,
      spec: { ...spec, config: { axis: { labelFontSize: 8 } } },
    });
    expect(own.vegaLite()["config"]).toMatchObject({ axis: { labelFontSize: 8, titleFontSize: 13 } });
    expect(mergeConfig({ a: { b: 1, c: [1] } }, { a: { c: [2] } })).toEqual({ a: { b: 1, c: [2] } });
  });

  it("refuses a name that is no file name", () => {
    expect(() => figure({ name: "a/b", title: "", caption: "", spec, data })).toThrow(
      /figure name: got "a\/b"/,
    );
  });
});

describe("the looks", () => {
  it("tell every model by colour and shape", () => {
    expect(new Set(modelLooks.map((look) => look.shape)).size).toBe(modelLooks.length);
    expect(modelLooks.find((look) => look.name === "GPT-2")).toMatchObject({
      color: palette.blue,
      shape: "circle",
    });
    expect(lookEncoding("m", { names: ["DPO"], channels: ["color"] })).toEqual({
      color: {
        field: "m",
        type: "nominal",
        title: "m",
        scale: { domain: ["DPO"], range: [palette.vermillion] },
      },
    });
    expect(() => lookEncoding("m", { names: ["GPT-9"] })).toThrow(/unknown look: GPT-9 \(known: GPT-2, DPO/);
  });
});

describe("measured text", () => {
  it("is as wide as the renderer draws it", () => {
    for (const text of ["mean probability", "WWWW", "iiii", "δx ␣ 0.45"]) {
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="600" height="40"><text x="0" y="30" font-family="DejaVu Sans" font-size="20px">|${text}|</text></svg>`;
      const { png, width, height } = svgToPng(svg, 1);
      const { bytes } = pixels(png);
      const isInk = (x: number, y: number): boolean => (bytes[(y * width + x) * 4] ?? 255) < 110;
      const columns = [...Array(width).keys()].filter((x) =>
        [...Array(height).keys()].some((y) => isInk(x, y)),
      );
      const drawn = (columns.at(-1) ?? 0) - (columns[0] ?? 0);
      const measured = textWidth(`|${text}|`, { size: 20 }) - textWidth("|", { size: 20 });
      expect(Math.abs(drawn - measured), text).toBeLessThan(0.02 * measured + 2);
    }
  });

  it("wraps at spaces, and a long word has a line of its own", () => {
    const style = { size: 12 };
    const lines = wrapText("a few words and onelongunbreakableword more", 80, style);
    expect(lines.join(" ")).toBe("a few words and onelongunbreakableword more");
    expect(lines).toContain("onelongunbreakableword");
    for (const line of lines.filter((each) => each.includes(" ")))
      expect(textWidth(line, style)).toBeLessThanOrEqual(80);
    expect(wrapText("", 80, style)).toEqual([]);
  });

  it("needs an SVG with a size to frame", () => {
    expect(() => frameSvg("<svg>", { name: "x", number: undefined, title: "", caption: "" })).toThrow(
      /no width/,
    );
  });
});
