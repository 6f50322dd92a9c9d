import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { parse } from "csv-parse/sync";
import MarkdownIt from "markdown-it";
import { afterEach, describe, expect, it } from "vitest";
import { paperTable } from "../../src/present/paper-values.js";
import { table } from "../../src/present/table.js";

const made: string[] = [];
function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "present-"));
  made.push(folder);
  return folder;
}
afterEach(() => made.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

const awkward = `<b> & "quotes" | pipes_and $100% #1 {x} ~^\\ *`;

const sample = table({
  name: "table-2",
  number: 2,
  title: "Interventions",
  caption: "Lower is better & <safe>.",
  columns: [
    { key: "method", label: "Method", math: true },
    { key: "toxicity", label: "Toxicity", digits: 3 },
    { key: "rate", label: "Rate", unit: "tokens/s" },
    { key: "tokens", label: "Top tokens" },
    { key: "held", label: "Holds" },
  ],
  rows: [
    { method: "− W_toxic", toxicity: 0.24512345, rate: 1234.5, tokens: [" a", "b|c"], held: true },
    { method: awkward, toxicity: null, rate: -3, tokens: ["\n"], held: false, seed: 7 },
  ],
});

describe("a table", () => {
  it("renders as accessible HTML: caption, scoped headings, everything escaped", () => {
    expect(sample.html()).toMatchInlineSnapshot(`
      "<table class="alignscope-table" id="table-2">
      <caption style="text-align:left"><strong>Table 2. Interventions.</strong> Lower is better &amp; &lt;safe&gt;.</caption>
      <thead><tr><th scope="col" style="text-align:left">Method</th><th scope="col" style="text-align:right">Toxicity</th><th scope="col" style="text-align:right">Rate (tokens/s)</th><th scope="col" style="text-align:left">Top tokens</th><th scope="col" style="text-align:left">Holds</th></tr></thead>
      <tbody>
      <tr><th scope="row" style="text-align:left">− W<sub>toxic</sub></th><td style="text-align:right">0.245</td><td style="text-align:right">1235</td><td style="text-align:left">␣a, b|c</td><td style="text-align:left">yes</td></tr>
      <tr><th scope="row" style="text-align:left">&lt;b&gt; &amp; &quot;quotes&quot; | pipes_and $100% #1 {x} ~^\\ *</th><td style="text-align:right">–</td><td style="text-align:right">−3</td><td style="text-align:left">↵</td><td style="text-align:left">no</td></tr>
      </tbody>
      </table>
      "
    `);
  });

  it("renders as Markdown that a Markdown reader takes for one table with the same words", () => {
    expect(sample.markdown()).toMatchInlineSnapshot(`
      "**Table 2. Interventions.** Lower is better & \\<safe\\>.

      | Method | Toxicity | Rate (tokens/s) | Top tokens | Holds |
      | :--- | ---: | ---: | :--- | :--- |
      | − W\\_toxic | 0.245 | 1235 | ␣a, b\\|c | yes |
      | \\<b\\> & "quotes" \\| pipes\\_and \\$100% #1 \\{x\\} \\~^\\\\ \\* | – | −3 | ↵ | no |
      "
    `);
    const html = new MarkdownIt({ html: false }).render(sample.markdown());
    expect(html.match(/<tr>/g)).toHaveLength(3);
    expect(html.match(/<td/g)).toHaveLength(10);
    expect(html).toContain("&lt;b&gt; &amp; &quot;quotes&quot; | pipes_and $100% #1 {x} ~^\\ *</td>");
  });

  it("renders as LaTeX with booktabs rules, specials written out", () => {
    expect(sample.latex()).toMatchInlineSnapshot(`
      "% Table 2
      \\begin{table}[t]
      \\centering
      \\caption{\\textbf{Interventions.} Lower is better \\& \\textless{}safe\\textgreater{}.}
      \\label{tab:table-2}
      \\begin{tabular}{lrrll}
      \\toprule
      Method & Toxicity & Rate (tokens/s) & Top tokens & Holds \\\\
      \\midrule
      $-$ $W_{\\mathrm{toxic}}$ & 0.245 & 1235 & \\textvisiblespace{}a, b\\textbar{}c & yes \\\\
      \\textless{}b\\textgreater{} \\& \\textquotedbl{}quotes\\textquotedbl{} \\textbar{} pipes\\_and \\$100\\% \\#1 \\{x\\} \\textasciitilde{}\\textasciicircum{}\\textbackslash{} * & -- & $-$3 & $\\hookleftarrow$ & no \\\\
      \\bottomrule
      \\end{tabular}
      \\end{table}
      "
    `);
  });

  it("renders as padded text, also when it is printed", () => {
    expect(sample.text()).toMatchInlineSnapshot(`
      "Table 2. Interventions. Lower is better & <safe>.

      Method                                         Toxicity  Rate (tokens/s)  Top tokens  Holds
      ─────────────────────────────────────────────  ────────  ───────────────  ──────────  ─────
      − W_toxic                                         0.245             1235  ␣a, b|c     yes
      <b> & "quotes" | pipes_and $100% #1 {x} ~^\\ *         –               −3  ↵           no"
    `);
    expect(inspect(sample)).toBe(sample.text());
  });

  it("keeps every digit and every column in CSV and JSON", () => {
    const read: Record<string, string>[] = parse(sample.csv(), { columns: true });
    expect(read[0]).toEqual({
      method: "− W_toxic",
      toxicity: "0.24512345",
      rate: "1234.5",
      tokens: '[" a","b|c"]',
      held: "true",
      seed: "",
    });
    expect(read[1]?.["method"]).toBe(awkward);
    expect(sample.json().rows[1]).toMatchObject({ toxicity: null, seed: 7 });
  });

  it("masks words in what is read and not in the data", () => {
    const published = paperTable("table-1");
    const words = published.rows.flatMap((row) => row["tokens"] as string[]);
    const make = (show?: boolean) =>
      table({
        name: "table-1",
        title: "T",
        caption: "",
        columns: published.columns,
        rows: published.rows,
        ...(show === undefined ? {} : { show }),
      });
    const hidden = make(false);
    const worst = words[0] ?? "";
    for (const text of [hidden.html(), hidden.markdown(), hidden.latex(), hidden.text()]) {
      expect(text).not.toContain(worst);
      expect(text).toContain("garbage");
    }
    expect(hidden.csv()).toContain(worst);
    expect(JSON.stringify(hidden.json())).toContain(worst);
    expect(make(true).html()).toContain(worst);
  });

  it("saves five files, each whole: a reader never sees half of one and nothing else is left behind", () => {
    const folder = temporary();
    const paths = sample.save(folder);
    const names = ["table-2.csv", "table-2.html", "table-2.json", "table-2.md", "table-2.tex"];
    expect(readdirSync(join(folder, "tables")).sort()).toEqual(names);
    expect(paths).toHaveLength(5);
    expect(readFileSync(join(folder, "tables", "table-2.html"), "utf8")).toMatch(
      /^<!doctype html>[^]*<\/html>\n$/,
    );
    const saved: unknown = JSON.parse(readFileSync(join(folder, "tables", "table-2.json"), "utf8"));
    expect(saved).toEqual(JSON.parse(JSON.stringify(sample.json())));
    // saved again over what is there
    writeFileSync(join(folder, "tables", "table-2.csv"), "old");
    sample.save(folder);
    expect(readFileSync(join(folder, "tables", "table-2.csv"), "utf8")).toBe(sample.csv());
    expect(readdirSync(join(folder, "tables")).sort()).toEqual(names);
  });

  it("may have no rows", () => {
    const empty = table({
      name: "none",
      title: "None",
      caption: "",
      columns: [{ key: "a", label: "A" }],
      rows: [],
    });
    expect(empty.text()).toBe("None.\n\nA\n─");
    expect(empty.csv()).toBe("a\n");
  });

  it("refuses a column that no row has, and a name that is no file name", () => {
    const rows = [{ a: 1 }];
    expect(() =>
      table({ name: "t", title: "", caption: "", columns: [{ key: "b", label: "B" }], rows }),
    ).toThrow("table t: no row has column b (rows have: a)");
    expect(() => table({ name: "../t", title: "", caption: "", columns: [], rows })).toThrow(
      /table name: got "\.\.\/t"/,
    );
  });
});

describe("a table beside the paper's", () => {
  const columns = [
    { key: "label", label: "Method" },
    {
      ...{ key: "toxicity", label: "Toxicity", digits: 3, paper: true },
      interval: ["low", "high"] as const,
    },
  ];
  const rows = [
    { id: "noop", label: "No operation", toxicity: 0.33, low: 0.3, high: 0.36 },
    { id: "random", label: "Random direction", toxicity: 0.31, low: 0.28, high: 0.34 },
  ];
  const labels = { name: "table-2", title: "Interventions", caption: "" };

  it("shows value, interval and the published value in this order, and a dash where the paper is silent", () => {
    const own = table({ ...labels, columns, rows, paper: paperTable("table-2") });
    expect(own.text().split("\n").slice(2)).toEqual([
      "Method            Toxicity   from     to  Toxicity, paper",
      "────────────────  ────────  ─────  ─────  ───────────────",
      "No operation         0.330  0.300  0.360            0.453",
      "Random direction     0.310  0.280  0.340                –",
    ]);
  });

  it("keeps the difference from the paper in its data", () => {
    const [noop, random] = table({ ...labels, columns, rows, paper: paperTable("table-2") }).json().rows;
    expect(noop).toMatchObject({ id: "noop", toxicity: 0.33, toxicityPaper: 0.453 });
    expect(noop?.["toxicityDifference"]).toBeCloseTo(-0.123, 12);
    expect(random).toMatchObject({ toxicityPaper: null, toxicityDifference: null });
  });

  it("takes published rows one by one where nothing names them, and a value that a row brings itself", () => {
    const paper = [{ toxicity: 0.5 }, null];
    const own = table({ ...labels, columns, rows: [rows[0]!, { ...rows[1], toxicityPaper: 0.4 }], paper });
    expect(own.frame.column("toxicityPaper")).toEqual([0.5, 0.4]);
  });

  it("has published texts and tokens beside ours without a difference", () => {
    const own = table({
      ...labels,
      columns: [{ key: "tokens", label: "Top tokens", paper: true }],
      rows: [{ tokens: [" a"] }],
      paper: [{ tokens: [" b"] }],
    });
    expect(own.text()).toContain("␣a          ␣b");
    expect(own.frame.columns).toEqual(["tokens", "tokensPaper"]);
  });

  it("says which row cannot be joined", () => {
    const unnamed = [{ label: "No operation", toxicity: 0.33, low: 0, high: 1 }];
    expect(() => table({ ...labels, columns, rows: unnamed, paper: paperTable("table-2") })).toThrow(
      "row 0 has no id, by which table-2 is joined (it has: label, toxicity, low, high)",
    );
  });
});
