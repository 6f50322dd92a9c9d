import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildSite } from "../../src/site/index.js";
import { code, RunFolder, shown, text } from "./run-folder.js";

let run: RunFolder;

beforeEach(() => {
  run = new RunFolder();
});
afterEach(() => rmSync(run.path, { recursive: true, force: true }));

async function frontPage(): Promise<string> {
  await run.pageOf();
  return run.read("site/index.html");
}

/** All links and sources of a page that lead to a file. */
function targets(html: string): string[] {
  return [...html.matchAll(/\b(?:href|src)="([^"#:]+)(?:#[^"]*)?"/g)].map(([, target = ""]) =>
    decodeURIComponent(target),
  );
}

describe("the site", () => {
  it("has everything in its folder that its pages lead to", async () => {
    run.writeClaims();
    await run.pageOf(await run.figureCell(), run.tableCell(), text("# One\n\n$x$"));
    const pages = readdirSync(join(run.path, "site")).filter((file) => file.endsWith(".html"));
    expect(pages.sort()).toEqual([
      "3.1-toxic-vectors.html",
      "3.2-vocabulary-space.html",
      "claims.html",
      "exhibits.html",
      "index.html",
      "report.html",
    ]);
    for (const page of pages) {
      for (const target of targets(run.read(`site/${page}`))) {
        expect(existsSync(join(run.path, "site", target)), `${page} leads to ${target}`).toBe(true);
      }
    }
  });

  it("has an element for every anchor that its pages lead to", async () => {
    run.writeClaims();
    await run.pageOf(text("# One\n\n## A section\n\n## A section"), await run.figureCell(), run.tableCell());
    const pages = readdirSync(join(run.path, "site")).filter((file) => file.endsWith(".html"));
    let checked = 0;
    for (const page of pages) {
      for (const [, file = "", id = ""] of run.read(`site/${page}`).matchAll(/href="([\w.-]*)#([^"]+)"/g)) {
        const target = run.read(`site/${file || page}`);
        // The claims' notebooks of this made-up run have no cell `claims`.
        if (id.endsWith("cell-claims")) continue;
        expect(target, `${page} leads to ${file}#${id}`).toContain(`id="${decodeURIComponent(id)}"`);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(30);
  });

  it("is refused in one line where nothing has been run, and what was there stays", async () => {
    await run.pageOf();
    rmSync(join(run.path, "manifest.json"));
    await expect(buildSite(run.path)).rejects.toThrow(
      `no results in ${run.path}: run \`alignscope reproduce\` first`,
    );
    expect(existsSync(join(run.path, "site", "index.html"))).toBe(true);
  });

  it("leaves no page of a notebook that is gone, and nothing beside itself", async () => {
    await run.pageOf();
    writeFileSync(join(run.path, "site", "old.html"), "");
    await run.pageOf();
    expect(existsSync(join(run.path, "site", "old.html"))).toBe(false);
    expect(readdirSync(run.path).filter((file) => file.startsWith("."))).toEqual([]);
  });

  it("keeps scripts, requests and forms of others out by its policy", async () => {
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(await frontPage())?.[1] ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:|unsafe-eval|script-src[^;]*unsafe-inline|connect-src/);
  });

  it("finds sections, figures, tables and claims by the index that it carries, without offensive words", async () => {
    run.writeClaims();
    await run.pageOf(
      text("# Probe\n\n## A linear reading\n\nshit happens"),
      await run.figureCell(),
      run.tableCell(),
    );
    const script = run.read("site/assets/search-index.js");
    expect(script).not.toMatch(/shit/i);
    const { default: MiniSearch } = await import("minisearch");
    const carried: { alignscopeSearch?: { options: object; index: string } } = {};
    new Function("window", script)(carried);
    const index = MiniSearch.loadJSON(
      carried.alignscopeSearch!.index,
      carried.alignscopeSearch!.options as never,
    );
    const found = (query: string): unknown[] => index.search(query).map(({ href }) => href as unknown);
    expect(found("linear reading")[0]).toBe("3.1-toxic-vectors.html#a-linear-reading");
    expect(found("interventions")).toContain("3.1-toxic-vectors.html#table-2");
    expect(found("counts")).toContain("3.1-toxic-vectors.html#probe-separation");
    expect(found("probe finds toxicity")).toContain("claims.html#C1");
  });
});

describe("the front page", () => {
  it("has the study's title and every notebook, with what failed or has not run", async () => {
    const page = await frontPage();
    expect(page).toContain("<h1>A case study, re-run</h1>");
    expect(page).toContain(
      '<a href="3.1-toxic-vectors.html">3.1 Toxic vectors</a> <span class="quiet">1 min 15 s',
    );
    expect(page).toContain("3.3 Interventions <span");
    expect(page).toContain("the last run failed: In [4] RangeError: &lt;alpha&gt;");
  });

  it("tells the study with this run's numbers beside the paper's, and what holds of the claims", async () => {
    run.writeClaims();
    const page = await frontPage();
    expect(page).toContain(
      "The probe is right on 95 % of the held-out comments (paper: 94 %)".replace(/ %/g, "\u00a0%"),
    );
    expect(page).toContain("1 holds, 1 does not, 1 cannot be measured here, 19 have not been run");
    expect(page).toContain('<a href="claims.html#C5">C5</a>');
  });

  it("says where the numbers come from", async () => {
    const page = await frontPage();
    expect(page).toContain("<dd>fedcba987654</dd>");
    expect(page).toContain("<dd>wasm, CPU, OpenBLAS 0.3.21, 2 threads</dd>");
    expect(page).toContain(`<dt>lab-prompts</dt><dd>sha256 ${"f".repeat(16)}…</dd>`);
  });
});

describe("the page of the paper's claims", () => {
  async function claimsPage(): Promise<string> {
    run.writeClaims();
    await run.pageOf({ ...code("await study.claims();", [shown({ "text/plain": "one" })]), id: "claims" });
    return run.read("site/claims.html");
  }

  it("says each verdict in words, with what was measured, the paper's value, the difference and the band", async () => {
    const page = await claimsPage();
    expect(page.match(/<section id="C\d+">/g)).toHaveLength(22);
    expect(page).toContain('<span aria-hidden="true">✓</span> holds</span>');
    expect(page).toContain('<span aria-hidden="true">✗</span> does not hold</span>');
    expect(page).toContain("not measurable</span></strong>: too &lt;few&gt; pairs");
    expect(page).toContain(
      '<th scope="row">accuracy, held out</th><td>0.950</td><td>0.940</td><td>+0.010</td><td>≥ 0.93</td><td>inside</td>',
    );
  });

  it("leads to the cell that measured, where that notebook has a page, and says what is of an earlier run", async () => {
    const page = await claimsPage();
    expect(page).toContain('<a href="3.1-toxic-vectors.html#cell-claims">3.1 Toxic vectors</a>');
    expect(page).toContain(
      '<p>Measured in 3.3-interventions <span class="failed">from an earlier run; the last run failed</span>',
    );
    expect(run.read("site/3.1-toxic-vectors.html")).toContain('<div id="cell-claims">');
  });

  it("is not there, and not linked, where no notebook speaks of claims", async () => {
    await claimsPage();
    rmSync(join(run.path, "claims.json"));
    expect(await frontPage()).not.toContain("claims.html");
    expect(existsSync(join(run.path, "site", "claims.html"))).toBe(false);
  });
});

describe("a figure or table", () => {
  it("has its number, caption, files, the cell that made it, and an anchor", async () => {
    const page = await run.pageOf(run.tableCell(), await run.figureCell());
    expect(page).toContain('<figure class="exhibit table" id="table-2">');
    expect(page).toContain("<strong>Table 2. Interventions.</strong>");
    expect(page).toContain("<strong>Figure 3.1a. How often a word comes");
    expect(page).toContain("Counts of W<sub>toxic</sub>.");
    for (const file of ["tables/table-2.csv", "tables/table-2.tex", "figures/probe-separation.vl.json"]) {
      expect(page).toContain(`href="${file}" download`);
      expect(statSync(join(run.path, "site", file)).size).toBeGreaterThan(0);
    }
    expect(page).toContain('href="3.1-toxic-vectors.html#cell-tabulate">the cell that made it');
  });

  it("stands beside the paper's values, with the difference", async () => {
    run.writeClaims();
    const page = await run.pageOf(run.tableCell(), await run.figureCell());
    expect(page).toContain("<td>0.250</td><td>0.245</td><td>+0.005</td>");
    // The figure is named by claim C1, whose measures have the paper's value.
    expect(page).toMatch(/id="probe-separation">[\s\S]*Claim C1<\/a>[\s\S]*<td>0\.950<\/td><td>0\.940<\/td>/);
  });

  it("that the paper does not have says so", async () => {
    expect(await run.pageOf(await run.figureCell())).toContain("The paper has no such figure.");
  });

  it("is drawn for the page without the title that its own file carries", async () => {
    const page = await run.pageOf(await run.figureCell());
    expect(page).toContain('<img src="figures/probe-separation.plain.svg"');
    expect(run.read("site/figures/probe-separation.plain.svg")).not.toContain("How often");
    expect(run.read("site/figures/probe-separation.svg")).toContain("How often");
    expect(run.read("site/exhibits.html")).toContain('<img src="figures/probe-separation.small.png"');
  });

  it("whose specification no longer draws is shown as the run drew it", async () => {
    const cell = await run.figureCell();
    run.write("figures/probe-separation.vl.json", '{"mark": "nonsense"}');
    expect(await run.pageOf(cell)).toContain('<img src="figures/probe-separation.svg"');
  });

  it("shows offensive words as stars, the words themselves encoded beside them", async () => {
    const page = await run.pageOf(run.tableCell(), await run.figureCell());
    expect(page).not.toMatch(/\bshit\b/i);
    expect(page).toContain(`<span class="veiled" data-word="${btoa("shit")}">s**t</span>`);
    // The chart's labels, too, have their words beside them.
    expect(page).toContain(`["s**t","${btoa("shit")}"]`);
  });
});

describe("the page of a notebook", () => {
  it("renders text with equations for eye and ear, and anchors for its headings", async () => {
    const page = await run.pageOf(text("# Probe\n\n## Probe\n\n$x^2$ and **bold**"));
    expect(page).toContain('<h1 id="probe">Probe</h1>');
    expect(page).toContain('<h2 id="probe-2">Probe</h2>');
    expect(page).toContain("<math");
    expect(page).toContain('<link rel="stylesheet" href="assets/katex.css">');
    expect(run.read("site/assets/katex.css")).not.toMatch(/url\((?!data:)/);
    expect(page).toContain("<strong>bold</strong>");
  });

  it("folds highlighted code under its first line and says which cells are parameters", async () => {
    const page = await run.pageOf(
      code('import {\n  a,\n} from "b";\nconst x = a < 1;'),
      code('import { c } from "d";'),
      code("const seed = 1;", [], ["parameters"]),
      code("const seed = 2;", [], ["injected-parameters"]),
    );
    expect(page).toContain("<summary>Code: const x = a &lt; 1;</summary>");
    expect(page).toContain("<summary>Code: imports</summary>");
    expect(page).toContain("<summary>Parameters and their defaults</summary>");
    expect(page).toContain("<summary>Parameters of this run</summary>");
    expect(page).toMatch(/<span style="--shiki-light:[^"]+;--shiki-dark:[^"]+">const<\/span>/);
    expect(page).not.toMatch(/<details class="code" open/);
  });

  it("shows pictures, tables, printed text and errors", async () => {
    const page = await run.pageOf(
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
    expect(page).toContain('<pre tabindex="0">red &lt;b&gt;</pre>');
    expect(page).toContain('<pre tabindex="0" class="error">RangeError: no\n    at x</pre>');
  });

  it("lets nothing that a notebook shows run, load or cover the page", async () => {
    const page = await run.pageOf(
      text("<script>alert(1)</script>\n\n[x](javascript:alert(2))"),
      code("1", [
        shown({
          "text/html":
            '<script>alert(3)</script><img src="https://example.org/x.png"><iframe src="x"></iframe>' +
            '<div onclick="alert(4)" id="search" style="position:fixed;background-color:url(https://example.org)">kept</div>' +
            '<a href="javascript:alert(5)">link</a><svg onload="alert(6)"></svg><form action="https://example.org"></form>' +
            '<link rel="stylesheet" href="https://example.org"><meta http-equiv="refresh" content="0"><base href="https://example.org">',
        }),
        shown({ "image/png": '"><script>alert(7)</script>' }),
      ]),
    );
    const main = /<main[\s\S]*<\/main>/.exec(page)?.[0] ?? "";
    expect(main).toContain("kept");
    expect(main).not.toMatch(
      /<script|<iframe|<form|<link|<meta|<base|onclick|onload|position:fixed|id="search"|href="javascript|src="https|url\(/,
    );
  });

  it("leads to the notebooks before and after, to the front page and to its file, and has its parameters", async () => {
    const page = await run.pageOf();
    expect(page).toContain('href="index.html"');
    expect(page).toContain('<a rel="next" href="3.2-vocabulary-space.html">3.2 Vocabulary space →</a>');
    expect(page).toContain('href="notebooks/3.1-toxic-vectors.ipynb" download');
    expect(page).toContain("<dt>promptCount</dt><dd>300 (profile)</dd>");
  });
});

describe("the README of a run's folder", () => {
  it("shows claims, figures and tables where the folder is browsed, words starred out", async () => {
    run.writeClaims();
    await run.pageOf(await run.figureCell(), run.tableCell());
    const readme = run.read("README.md");
    expect(readme).toContain("| C1 | The probe finds toxicity | holds |");
    expect(readme).toContain("![Figure 3.1a](figures/probe-separation.png)");
    expect(readme).toContain("**Table 2. Interventions.**");
    expect(readme).toContain("](notebooks/3.1-toxic-vectors.ipynb)");
    expect(readme).not.toMatch(/shit/i);
  });
});
