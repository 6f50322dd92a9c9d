import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { frame, table } from "../../../src/present/index.js";
import { shown, text } from "./show.js";

// Its types are those of another TypeScript; what the tests need of it is little.
const { DataFrame, Series } = createRequire(import.meta.url)("danfojs-node") as {
  DataFrame: new (data: unknown, options?: object) => object;
  Series: new (data: unknown, options?: object) => object;
};

const rowsOf = (html: unknown): string[] => String(html).match(/<tr>.*<\/tr>/g) ?? [];

describe("data frames", () => {
  it("are an HTML table, and aligned text for clients without", async () => {
    const frame = new DataFrame(
      [
        ["probe", 1, 0.123456789],
        ["SVD", null, NaN],
      ],
      { columns: ["method", "layer", "score"] },
    );
    const { data } = await shown(frame);
    expect(data["text/plain"]).toBe(
      [
        "   method  layer     score",
        "0  probe       1  0.123457",
        "1  SVD      null       NaN",
        "2 rows × 3 columns",
      ].join("\n"),
    );
    const rows = rowsOf(data["text/html"]);
    expect(rows).toHaveLength(3);
    expect(rows[0]).toContain('<th></th><th scope="col">method</th>');
    expect(rows[1]).toBe(
      '<tr><th scope="row">0</th><td style="text-align: left">probe</td><td>1</td><td>0.123457</td></tr>',
    );
    expect(data["text/html"]).toContain("<p>2 rows × 3 columns</p>");
  });

  it("have everything in them escaped", async () => {
    const attack = `<script>alert("1")</script>`;
    const { data } = await shown(new DataFrame([[attack]], { columns: [attack], index: [attack] }));
    const html = String(data["text/html"]);
    expect(html).not.toContain("<script");
    expect(html.match(/&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt;/g)).toHaveLength(3);
  });

  it("show the first and last rows and columns when large", async () => {
    const values = Array.from({ length: 1000 }, (_, row) =>
      Array.from({ length: 50 }, (_, column) => row * 100 + column),
    );
    const { data } = await shown(new DataFrame(values));
    const rows = rowsOf(data["text/html"]);
    expect(rows).toHaveLength(62);
    expect(rows[1]!.match(/<td/g)).toHaveLength(21);
    expect(rows[31]).toContain("<th>…</th>");
    expect(rows[61]).toContain("<td>99949</td>");
    expect(data["text/html"]).toContain("<p>1,000 rows × 50 columns</p>");
    const lines = String(data["text/plain"]).split("\n");
    expect(lines).toHaveLength(63);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(110);
    expect(lines[1]).toMatch(/^0 +0 +1 .* … .* 49$/);
  });

  it("keep long and many-lined cells in one line", async () => {
    const { data } = await shown(new DataFrame([["a\nb"], ["c".repeat(1000)]], { columns: ["text"] }));
    expect(String(data["text/plain"]).split("\n")).toHaveLength(4);
    expect(data["text/plain"]).toContain("a⏎b");
  });

  it("are a few words inside other objects", async () => {
    const data = new DataFrame([[1, 2]], { columns: ["a", "b"] });
    expect(await text({ data, scores: new Series([1, 2, 3]) })).toBe(
      "{ data: DataFrame of 1 × 2, scores: Series of 3 }",
    );
  });

  it("may be empty", async () => {
    expect(await text(new DataFrame([]))).toContain("0 rows × 0 columns");
  });

  it("may be a series, which has a type", async () => {
    const { data } = await shown(new Series([1.5, 2], { index: ["a", "b"], columns: ["score"] }));
    expect(data["text/plain"]).toBe("   score\na    1.5\nb      2\n2 values, float32");
    expect(data["text/html"]).toContain('<th scope="row">a</th><td>1.5</td>');
  });
});

describe("the library's frames and tables", () => {
  it("are shown as data frames are", async () => {
    const { data } = await shown(
      frame([
        { word: "a", score: 1 },
        { word: "b<", score: 2 },
      ]),
    );
    expect(data["text/plain"]).toBe("   word  score\n0  a         1\n1  b<        2\n2 rows × 2 columns");
    expect(data["text/html"]).toContain("b&lt;");
  });

  it("are shown as they say themselves", async () => {
    const results = table({
      name: "table-2",
      title: "Interventions",
      caption: "What they do.",
      columns: [{ key: "method", label: "Method" }],
      rows: [{ method: "probe" }],
    });
    const { data } = await shown(results);
    expect(data).toEqual({ "text/html": results.html(), "text/plain": results.text() });
  });
});
