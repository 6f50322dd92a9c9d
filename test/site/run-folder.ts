import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Cell, type Output, writeNotebook } from "../../src/jupyter/index.js";
import type { Manifest } from "../../src/pipeline/index.js";
import { figure, table } from "../../src/present/index.js";
import { judge, mergeClaims } from "../../src/present/claims/index.js";
import { buildSite } from "../../src/site/index.js";

/** A run of three notebooks, of which the last one failed. */
const manifest: Manifest = {
  format: 2,
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
  lockfile: null,
  seed: 42,
  notebooks: [
    {
      name: "3.1-toxic-vectors",
      title: "Toxic vectors",
      result: "ran",
      startedAt: "2026-01-02T03:04:05.000Z",
      seconds: 75,
      madeBy: {
        alignscope: "0.1.0",
        git: { commit: "fedcba9876543210fedcba9876543210fedcba98", dirty: false },
        node: "v20.20.0",
        platform: "linux-x64",
        host: "here",
        kernel: "alignscope 0.1.0",
        backend: "wasm",
        device: "CPU",
        driver: null,
        blas: "OpenBLAS 0.3.21",
        threads: 2,
        model: { name: "lab", sha256: "a".repeat(64) },
        peakBytes: 2 ** 29,
      },
      seeds: { seed: 42 },
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

/** A run's folder that a test fills. */
export class RunFolder {
  readonly path = mkdtempSync(join(tmpdir(), "alignscope-site-"));

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.path, file)), { recursive: true });
    writeFileSync(join(this.path, file), text);
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), "utf8");
  }

  /** Builds the pages of a run with one notebook of these cells; gives that notebook's page. */
  async pageOf(...cells: Cell[]): Promise<string> {
    this.write("manifest.json", JSON.stringify(manifest));
    for (const { name } of manifest.notebooks.slice(0, 2)) {
      const own = name === "3.1-toxic-vectors" ? cells : [text("# Vocabulary space")];
      writeNotebook(join(this.path, "notebooks", `${name}.ipynb`), {
        nbformat: 4,
        nbformat_minor: 5,
        metadata: {},
        cells: own,
      });
    }
    await buildSite(this.path);
    return this.read("site/3.1-toxic-vectors.html");
  }

  /** Verdicts as two notebooks may have left them. */
  writeClaims(): void {
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
    this.write("claims.json", JSON.stringify({ profile: "lab", claims: mergeClaims(said) }));
  }

  /** A chart over words, with its files and the cell that shows it. */
  async figureCell(): Promise<Cell> {
    const shown = figure({
      name: "probe-separation",
      title: "How often a word comes, crap and damn",
      caption: "Counts of W_toxic.",
      data: [
        { word: "crap", count: 3, reference: 2 },
        { word: "shit", count: 5, reference: 2 },
        { word: "tea", count: 2, reference: 2 },
      ],
      spec: {
        mark: "bar",
        encoding: {
          x: { field: "count", type: "quantitative" },
          y: { field: "word", type: "nominal" },
        },
      },
    });
    await shown.save(this.path);
    const { data, metadata } = await shown.mimeBundle();
    const png = Buffer.from(data["image/png"] as Uint8Array).toString("base64");
    return {
      ...code("await study.publish(figure({}));", [
        {
          output_type: "display_data",
          data: { ...data, "image/png": png } as never,
          metadata: metadata as never,
        },
      ]),
      id: "draw",
    };
  }

  /** A table with the paper's value beside one of its columns, with its files and the cell that shows it. */
  tableCell(): Cell {
    const shown = table({
      name: "table-2",
      number: 2,
      title: "Interventions",
      caption: "Words such as shit.",
      columns: [
        { key: "method", label: "Method", math: true },
        { key: "toxicity", label: "Toxicity", digits: 3 },
        { key: "words", label: "Words" },
      ],
      rows: [
        { method: "− W_toxic", toxicity: 0.25, toxicityPaper: 0.245, words: ["shit", "tea"] },
        { method: "none", toxicity: 0.5, toxicityPaper: 0.453, words: [] },
      ],
    });
    shown.save(this.path);
    const { data, metadata } = shown.mimeBundle();
    return {
      ...code("await study.publish(table({}));", [
        { output_type: "display_data", data: data as never, metadata: metadata as never },
      ]),
      id: "tabulate",
    };
  }
}

/** A code cell. */
export function code(source: string, outputs: Output[] = [], tags: string[] = []): Cell {
  return {
    cell_type: "code",
    id: `c${source.length}`,
    source,
    metadata: { tags },
    execution_count: 1,
    outputs,
  };
}

/** A text cell. */
export function text(source: string): Cell {
  return { cell_type: "markdown", id: `t${source.length}`, source, metadata: {} };
}

/** What a cell shows. */
export function shown(data: Record<string, string>): Output {
  return { output_type: "display_data", data, metadata: {} };
}
