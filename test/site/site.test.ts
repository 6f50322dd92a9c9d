import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Cell, type Output, writeNotebook } from "../../src/jupyter";
import type { Manifest } from "../../src/pipeline";
import { judge, mergeClaims } from "../../src/present/claims";
import { buildSite } from "../../src/site";

let outputs: string;

beforeEach(() => {
  outputs = mkdtempSync(join(tmpdir(), "alignscope-site-"));
});
afterEach(() => rmSync(outputs, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(outputs, path)), { recursive: true });
  writeFileSync(join(outputs, path), text);
}

const manifest: Manifest = {
  alignscope: "0.1.0",
  title: "A case study, re-run",
  profile: "lab",
  startedAt: "2026-01-02T03:04:05.000Z",
  seconds: 80,
  git: { commit: "0123456789abcdef0123456789abcdef01234567", dirty: true },
  node: "v20.19.0",
  platform: "linux-x64",
  kernel: "alignscope",
  environment: { library: "l", packages: "p", kernel: "k" },
  seed: 42,
  notebooks: [
    {
      name: "3.1-toxic-vectors",
      title: "Toxic vectors",
      result: "ran",
      startedAt: "2026-01-02T03:04:05.000Z",
      seconds: 75,
      parameters: { promptCount: { value: 300, source: "profile" } },
      inputs: { artifacts: {}, data: { "lab-prompts": "f".repeat(64) } },
    },
    { name: "3.2-vocabulary-space", title: "Vocabulary space", result: "ran", seconds: 3 },
    {
      name: "3.3-interventions",
      title: "Interventions",
      result: "failed",
      error: "In [4] RangeError: <alpha>",
    },
  ],
};

function code(source: string, outputs: Output[] = [], tags: string[] = []): Cell {
  return {
    cell_type: "code",
    id: `c${source.length}`,
    source,
    metadata: { tags },
    execution_count: 1,
    outputs,
  };
}

function shown(data: Record<string, string>): Output {
  return { output_type: "display_data", data, metadata: {} };
}

/** Builds the pages of a run with one notebook of these cells; gives that notebook's page. */
function pageOf(...cells: Cell[]): string {
  write("manifest.json", JSON.stringify(manifest));
  for (const { name } of manifest.notebooks.slice(0, 2)) {
    const path = join(outputs, "notebooks", `${name}.ipynb`);
    writeNotebook(path, { nbformat: 4, nbformat_minor: 5, metadata: {}, cells });
  }
  buildSite(outputs);
  return readFileSync(join(outputs, "site", "3.1-toxic-vectors.html"), "utf8");
}

function frontPage(): string {
  pageOf();
  return readFileSync(join(outputs, "index.html"), "utf8");
}

describe("the front page", () => {
  it("has the study's title and every notebook, with what failed or has not run", () => {
    const page = frontPage();
    expect(page).toContain("<h1>A case study, re-run</h1>");
    expect(page).toContain(
      '<a href="site/3.1-toxic-vectors.html">3.1 Toxic vectors</a> <span class="quiet">1 min 15 s',
    );
    expect(page).toContain("3.3 Interventions <span");
    expect(page).toContain("the last run failed: In [4] RangeError: &#60;alpha&#62;");
  });

  it("shows figures in the paper's order with their captions and every file of them", () => {
    for (const name of ["beta", "alpha"])
      write(`figures/${name}.svg`, "<svg xmlns='http://www.w3.org/2000/svg'/>");
    write("figures/beta.vl.json", "{}");
    write("figures/beta.csv", "x");
    write("figures/beta.json", JSON.stringify({ title: "Logit lens", caption: "By layer.", number: 1 }));
    const page = frontPage();
    expect(page.indexOf('id="beta"')).toBeLessThan(page.indexOf('id="alpha"'));
    expect(page).toContain('<img src="figures/beta.svg" alt="Logit lens" loading="lazy">');
    expect(page).toContain("<strong>Figure 1. Logit lens</strong> By layer.");
    for (const file of ["beta.svg", "beta.csv", "beta.vl.json", "alpha.svg"]) {
      expect(page).toContain(`href="figures/${file}"`);
      expect(existsSync(join(outputs, "figures", file))).toBe(true);
    }
  });

  it("shows tables as they were rendered, without the page around them", () => {
    write(
      "tables/table-2.html",
      '<html><head><title>gone</title><style>x{}</style></head><body><table><caption>Table 2.</caption><tr><th scope="row">NoOp</th><td style="text-align:right;position:fixed">0.45</td></tr></table></body></html>',
    );
    write("tables/table-2.csv", "a");
    const page = frontPage();
    expect(page).toContain('<th scope="row">NoOp</th><td style="text-align:right">0.45</td>');
    expect(page).not.toContain("gone");
    expect(page).toContain('href="tables/table-2.csv"');
  });

  it("says where the numbers come from", () => {
    const page = frontPage();
    expect(page).toContain("<dd>0123456789ab with uncommitted changes</dd>");
    expect(page).toContain(`<dt>lab-prompts</dt><dd>sha256 ${"f".repeat(16)}…</dd>`);
  });

  it("is refused in one line where nothing has been run", () => {
    expect(() => buildSite(outputs)).toThrow(`no results in ${outputs}: run \`alignscope reproduce\` first`);
  });
});

describe("the page of the paper's claims", () => {
  const said = [
    {
      notebook: "3.1-toxic-vectors",
      part: "3.1",
      claims: [judge("C1", { accuracy: 0.95, auroc: 0.97 }), judge("C7", "too <few> pairs")],
    },
    {
      notebook: "3.3-interventions",
      part: "3.3",
      claims: [judge("C5", { f1: 0.5 })],
      earlier: "the last run failed",
    },
  ];

  function claimsPage(): string {
    write("claims.json", JSON.stringify({ profile: "lab", claims: mergeClaims(said) }));
    pageOf(code("await study.claims();"));
    return readFileSync(join(outputs, "claims.html"), "utf8");
  }

  it("is linked near the top of the front page with the counts", () => {
    claimsPage();
    const front = readFileSync(join(outputs, "index.html"), "utf8");
    const line =
      '<a href="claims.html">22 claims of the paper</a>: 1 holds, 1 does not, 1 cannot be measured here, 19 have not been run.';
    expect(front).toContain(line);
    expect(front.indexOf(line)).toBeLessThan(front.indexOf("<h2>Notebooks</h2>"));
  });

  it("says each verdict in words, with what was measured, its band and the paper's value", () => {
    const page = claimsPage();
    expect(page.match(/<section id="C\d+">/g)).toHaveLength(22);
    expect(page).toContain('<span aria-hidden="true">✓</span> holds</span>');
    expect(page).toContain('<span aria-hidden="true">✗</span> does not hold</span>');
    expect(page).toContain("not measurable</span></strong>: too &#60;few&#62; pairs");
    expect(page).toContain(
      '<th scope="row">accuracy, held out</th><td>0.950</td><td>≥ 0.93</td><td>inside</td><td>0.940</td>',
    );
  });

  it("leads to the cell that measured, where that notebook has a page, and says what is of an earlier run", () => {
    const page = claimsPage();
    expect(page).toContain('<a href="site/3.1-toxic-vectors.html#cell-claims">3.1 Toxic vectors</a>');
    expect(page).toContain(
      '<p>Measured in 3.3-interventions <span class="failed">from an earlier run; the last run failed</span>',
    );
    const notebook = pageOf({ ...code("1", [shown({ "text/plain": "one" })]), id: "claims" });
    expect(notebook).toContain('<div id="cell-claims">');
  });

  it("is not there, and not linked, where no notebook speaks of claims", () => {
    claimsPage();
    rmSync(join(outputs, "claims.json"));
    expect(frontPage()).not.toContain("claims.html");
    expect(existsSync(join(outputs, "claims.html"))).toBe(false);
  });
});

describe("the page of a notebook", () => {
  it("renders text with equations that need no font and no network", () => {
    const page = pageOf({
      cell_type: "markdown",
      id: "a",
      metadata: {},
      source: "# Probe\n\n$x^2$ and **bold**",
    });
    expect(page).toContain("<h1>Probe</h1>");
    expect(page).toContain("<math");
    expect(page).toContain("<strong>bold</strong>");
  });

  it("folds code under its first line and says which cells are parameters", () => {
    const page = pageOf(
      code('import {\n  a,\n} from "b";\nconst x = a < 1;'),
      code('import { c } from "d";'),
      code("const seed = 1;", [], ["parameters"]),
      code("const seed = 2;", [], ["injected-parameters"]),
    );
    expect(page).toContain("<summary>Code: const x = a &#60; 1;</summary>");
    expect(page).toContain("<summary>Code: imports</summary>");
    expect(page).toContain("<summary>Parameters and their defaults</summary>");
    expect(page).toContain("<summary>Parameters of this run</summary>");
    expect(page).not.toContain("<details open");
  });

  it("shows pictures, tables, printed text and errors", () => {
    const page = pageOf(
      code("1", [
        shown({ "image/svg+xml": "<svg/>", "text/plain": "a chart" }),
        shown({ "text/html": "<table><tr><td>1</td></tr></table>", "text/plain": "1" }),
        { output_type: "stream", name: "stdout", text: "\u001b[31mred\u001b[0m <b>" },
        {
          output_type: "error",
          ename: "RangeError",
          evalue: "no",
          traceback: ["RangeError: no", "    at x"],
        },
      ]),
    );
    expect(page).toContain(`<img src="data:image/svg+xml;base64,${btoa("<svg/>")}" alt="a chart">`);
    expect(page).toContain("<td>1</td>");
    expect(page).toContain("<pre>red &#60;b&#62;</pre>");
    expect(page).toContain('<pre class="error">RangeError: no\n    at x</pre>');
  });

  it("lets nothing that a notebook shows run, load or cover the page", () => {
    const page = pageOf(
      {
        cell_type: "markdown",
        id: "a",
        metadata: {},
        source: "<script>alert(1)</script>\n\n[x](javascript:alert(2))",
      },
      code("1", [
        shown({
          "text/html":
            '<script>alert(3)</script><img src="https://example.org/x.png"><iframe src="x"></iframe>' +
            '<div onclick="alert(4)" style="position:fixed;background-color:url(https://example.org)">kept</div>' +
            '<a href="javascript:alert(5)">link</a><svg onload="alert(6)"></svg>',
        }),
        shown({ "image/png": '"><script>alert(7)</script>' }),
      ]),
    );
    expect(page).toContain("kept");
    expect(page).not.toMatch(
      /<script|<iframe|onclick|onload|position:fixed|href="javascript|src="https|url\(/,
    );
    expect(page).toContain("default-src &#39;none&#39;".replaceAll("&#39;", "'"));
  });

  it("leads to the notebooks before and after, back to the front page and to its file", () => {
    const page = pageOf();
    expect(page).toContain('<a href="../index.html">All results</a>');
    expect(page).toContain('<a href="3.2-vocabulary-space.html">Vocabulary space →</a>');
    expect(page).toContain('href="../notebooks/3.1-toxic-vectors.ipynb"');
    expect(page).toContain("<dt>promptCount</dt><dd>300 (profile)</dd>");
  });
});
