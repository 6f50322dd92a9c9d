import { describe, expect, it } from "vitest";
import { continuationExamplesTable, systemsTable, vocabularyTable } from "../../src/present/tables/index.js";

const measures = { toxicity: 0.4, low: 0.35, high: 0.45, toxicityAlone: 0.3, perplexity: 20, f1: 0.2 };
const noop = { id: "noop", label: "No operation", scale: null, change: 0, ...measures, scores: [0.3, 0.5] };
const probe = { id: "w-toxic", label: "− W_toxic", scale: 8, ...measures, toxicity: 0.2, change: -0.5 };
const labels = { name: "table-2", number: 2, title: "Interventions" };
const evaluation = { prompts: ["a", "b"], passages: ["c"], scorer: "linear" };
const headings = (text: string): string[] => (text.split("\n")[2] as string).trim().split(/ {2,}/);

describe("a table of systems", () => {
  it("shows measure by measure what was measured, its interval and the paper's value", () => {
    const own = systemsTable([noop, probe], {
      ...{ ...labels, evaluation, measures: ["scale", "toxicity", "change", "f1"] },
      paper: "table-2",
    });
    expect(headings(own.text())).toEqual([
      ...["Method", "α", "Toxicity", "from", "to", "Toxicity, paper"],
      ...["Change", "Change, paper", "F1", "F1, paper"],
    ]);
    expect(own.frame.column("changePaper")).toEqual([0, 0.245 / 0.453 - 1]);
    expect(own.json().caption).toBe(
      "Mean toxicity of 2 greedy continuations (scorer: linear) with a 95% bootstrap interval over prompts, " +
        "the change of that mean over the same prompts, F1 over 1 passages; " +
        "beside them the paper's values for GPT2-medium, scored by Perspective.",
    );
  });

  it("shows an interval of the change where rows have one, and no paper where none is asked for", () => {
    const rows = [{ ...probe, changeLow: -0.6, changeHigh: -0.4 }];
    const own = systemsTable(rows, { ...labels, measures: ["change", "perplexity"], caption: "One by one." });
    expect(headings(own.text())).toEqual(["Method", "Change", "from", "to", "Perplexity"]);
    expect(own.json().caption).toBe("One by one.");
  });

  it("has a column for TOXICITY alone where the scorer has several attributes", () => {
    const own = systemsTable([noop], {
      ...{ ...labels, measures: ["toxicity"] },
      evaluation: { ...evaluation, toxicityJudge: {} },
    });
    expect(headings(own.text())).toEqual(["Method", "Toxicity", "from", "to", "TOXICITY alone"]);
  });

  it("keeps scores by prompt out of its data", () => {
    expect(systemsTable([noop], { ...labels, measures: ["f1"] }).frame.columns).not.toContain("scores");
  });
});

describe("tables beside the paper's", () => {
  it("join what a system says with the paper's row of the same prompt and system, where there is one", () => {
    const said = { prompt: "P", label: "No operation", tokens: [" a"], continuation: "a b" };
    const rows = ["own-1/gpt2", "own-1/dpo"].map((id) => ({ id, ...said }));
    const own = continuationExamplesTable(rows, { name: "table-3", number: 3, title: "T" });
    expect(headings(own.text())).toEqual([
      ...["Prompt", "Model", "Top 5 tokens", "Top 5 tokens, paper"],
      ...["Continuation", "Continuation, paper"],
    ]);
    expect(own.frame.column("continuationPaper")).toEqual([null, null]);
  });

  it("put the paper's row of the same rank beside each vector", () => {
    const own = vocabularyTable([{ id: "w-toxic", label: "W_toxic", cosine: 1, tokens: [" a"] }], {
      tokens: 1,
    });
    expect(own.frame.column("labelPaper")).toEqual(["W_toxic"]);
    expect(own.frame.column("tokensPaper")).toHaveLength(1);
  });
});
