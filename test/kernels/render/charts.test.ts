import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { shown, text } from "./show.js";

const values = [
  { layer: 1, score: 0.2 },
  { layer: 2, score: 0.7 },
];
const encoding = {
  x: { field: "layer", type: "quantitative" },
  y: { field: "score", type: "quantitative" },
};
const schema = (language: string, version: string) =>
  `https://vega.github.io/schema/${language}/${version}.json`;

describe("Vega-Lite specifications", () => {
  it("are an interactive chart, a drawing and words", async () => {
    const spec = {
      $schema: schema("vega-lite", "v6.4.3"),
      title: "Toxicity",
      mark: "line",
      data: { values },
      encoding,
    };
    const { data } = await shown(spec);
    // Version 5 is the newest that clients draw; the size is what 6 makes of it.
    expect(Object.keys(data)).toEqual(["application/vnd.vegalite.v5+json", "image/svg+xml", "text/plain"]);
    expect(data["application/vnd.vegalite.v5+json"]).toEqual({
      ...spec,
      $schema: schema("vega-lite", "v5"),
      config: { view: { continuousWidth: 300, continuousHeight: 300 } },
    });
    expect(data["image/svg+xml"]).toMatch(/^<svg [^]*aria-roledescription="line mark"[^]*<\/svg>$/);
    expect(data["text/plain"]).toBe("[Vega-Lite chart: Toxicity (line, 2 rows)]");
  });

  it.each<[string, object, string]>([
    ["mark and encoding", { mark: { type: "bar" }, data: { values }, encoding }, "bar, 2 rows"],
    ["layers", { data: { values }, layer: [{ mark: "point", encoding }] }, "layer, 2 rows"],
    ["parts side by side", { data: { values }, hconcat: [{ mark: "point", encoding }] }, "hconcat, 2 rows"],
    [
      "a facet",
      { data: { values }, facet: { field: "layer" }, spec: { mark: "point", encoding } },
      "facet, 2 rows",
    ],
  ])("are known without $schema by %s", async (_, spec, words) => {
    const { data } = await shown(spec);
    expect(Object.keys(data)).toEqual(["application/vnd.vegalite.v5+json", "image/svg+xml", "text/plain"]);
    expect(data["text/plain"]).toBe(`[Vega-Lite chart (${words})]`);
  });

  it("are drawn in the size in which JupyterLab draws them", async () => {
    const height = async (spec: object): Promise<number> =>
      Number(/height="(\d+)/.exec(String((await shown(spec)).data["image/svg+xml"]))?.[1]);
    const spec = { mark: "line", data: { values }, encoding };
    const five = await height({ ...spec, $schema: schema("vega-lite", "v5") });
    expect(five).toBeLessThan(260);
    expect(await height({ ...spec, $schema: schema("vega-lite", "v6") })).toBe(five + 100);
  });

  it("are not seen in other records", async () => {
    for (const record of [
      { mark: "B+", data: { name: "essay" } },
      { layer: 3, data: { values } },
      { mark: "bar" },
      { layer: [1, 2], encoding: { utf: 8 } },
      { $schema: "https://json-schema.org/draft/2020-12/schema", mark: "bar", data: { values } },
    ]) {
      expect(Object.keys((await shown(record)).data)).toEqual(["text/plain"]);
    }
  });

  it("leave what is shown alone", async () => {
    const spec = { mark: "bar", data: { values: [...values] }, encoding };
    const before = structuredClone(spec);
    const { data } = await shown(spec);
    expect(spec).toEqual(before);
    spec.data.values.pop();
    expect(data["application/vnd.vegalite.v5+json"]).toEqual(before);
  });

  it("that do not compile are sent all the same, and the text says why there is no drawing, in one line", async () => {
    const spec = { $schema: schema("vega-lite", "v5"), data: { values }, encoding };
    const { data } = await shown(spec);
    expect(data["application/vnd.vegalite.v5+json"]).toEqual(spec);
    expect(data["image/svg+xml"]).toBeUndefined();
    expect(data["text/plain"]).toMatch(
      /^\[Vega-Lite chart \(2 rows\)\]\n\(not drawn here: Invalid specification.*\)$/,
    );
  });

  it("fetch nothing", async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.end("[]");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}/cars.json`;
    try {
      const { data } = await shown({ mark: "point", data: { url }, encoding });
      expect(data["application/vnd.vegalite.v5+json"]).toBeDefined();
      expect(data["image/svg+xml"]).toBeUndefined();
      expect(data["text/plain"]).toBe(
        `[Vega-Lite chart (point)]\n(not drawn here: data at ${url} is left to the client)`,
      );
      const picture = { mark: "image", data: { values }, encoding: { ...encoding, url: { value: url } } };
      expect(await text(picture)).toContain(`(not drawn here: data at ${url} is left to the client)`);
      expect(await text({ mark: "point", data: { url: "/etc/hostname" }, encoding })).toContain(
        "is left to the client",
      );
    } finally {
      server.close();
    }
    expect(requests).toBe(0);
  });

  it("are not drawn when very large, and are only words when larger still", async () => {
    const many = Array.from({ length: 60_000 }, (_, layer) => ({ layer }));
    const { data } = await shown({ mark: "point", data: { values: many }, encoding });
    expect(Object.keys(data)).toEqual(["application/vnd.vegalite.v5+json", "text/plain"]);
    expect(data["text/plain"]).toContain("not drawn here: more than 20,000 rows");
    const more = {
      mark: "point",
      data: { values: many.map((row) => ({ ...row, text: "x".repeat(100) })) },
      encoding,
    };
    expect(await text(more)).toMatch(
      /^\[Vega-Lite chart \(point, 60,000 rows\)\]\n\(too large to show: [\d,]+ characters of JSON\)$/,
    );
  });

  it("that are no JSON are text", async () => {
    const spec: Record<string, unknown> = { mark: "point", data: { values }, encoding };
    spec["self"] = spec;
    const { data } = await shown(spec);
    expect(Object.keys(data)).toEqual(["text/plain"]);
    expect(data["text/plain"]).toMatch(/\n\(could not be shown as a chart: TypeError: .*circular.*\)$/);
  });
});

describe("Vega specifications", () => {
  it("are an interactive chart, a drawing and words", async () => {
    const spec = {
      $schema: schema("vega", "v5"),
      width: 20,
      height: 20,
      data: [{ name: "rows", values }],
      marks: [
        {
          type: "symbol",
          from: { data: "rows" },
          encode: { enter: { x: { field: "layer" }, y: { value: 3 } } },
        },
      ],
    };
    const { data } = await shown(spec);
    expect(Object.keys(data)).toEqual(["application/vnd.vega.v5+json", "image/svg+xml", "text/plain"]);
    expect(data["image/svg+xml"]).toContain("mark-symbol");
    expect(data["text/plain"]).toBe("[Vega chart (2 rows)]");
  });
});
