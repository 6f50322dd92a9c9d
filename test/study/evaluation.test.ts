import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { GPT2, Tokenizer } from "../../src/model/index.js";
import { continuationExamples, examplePrompts, openEvaluation } from "../../src/study/index.js";
import { openBackend } from "../../src/tensors/index.js";

const folder = mkdtempSync(join(tmpdir(), "evaluation-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("an evaluation", () => {
  let tokenizer: Tokenizer;
  const parameters = {
    ...{ prompts: "lab-prompts", promptCount: 3, continuations: "lab-continuations", continuationCount: 2 },
    ...{ perplexityText: "lab-paragraphs", perplexityTokens: 50, scorer: "linear" },
    ...({ padding: "masked", protocol: "corrected" } as const),
    ...{ maxNewTokens: 4, minNewTokens: 4, batchSize: 8, seed: 1 },
  };
  beforeAll(async () => {
    await openBackend("wasm");
    tokenizer = await Tokenizer.load(join(projectRoot(), "data", "lab", "model"));
  });

  it("holds as many prompts, passages and tokens as a notebook's parameters ask for", async () => {
    const evaluation = await openEvaluation({ tokenizer }, parameters);
    expect(evaluation.prompts).toHaveLength(3);
    expect(evaluation.passages).toHaveLength(2);
    expect(evaluation.textIds).toHaveLength(50);
    expect(evaluation.generation).toEqual({
      ...{ padding: "masked", protocol: "corrected", maxNewTokens: 4, minNewTokens: 4, batchSize: 8 },
    });
    // The repository's scorer has one attribute: nothing is to be read beside it.
    expect(evaluation.toxicityJudge).toBeUndefined();
  });

  it("reads files of one's own", async () => {
    const path = join(folder, "prompts.jsonl");
    writeFileSync(path, `${JSON.stringify({ prompt: "Mine" })}\n`);
    expect((await openEvaluation({ tokenizer }, { ...parameters, prompts: path })).prompts).toEqual(["Mine"]);
  });

  it("has each system continue the paper's prompts of table 3, then one's own, prompt by prompt", async () => {
    const evaluation = await openEvaluation({ tokenizer }, parameters);
    const { vocabSize, eosTokenId } = tokenizer;
    const shape = {
      nLayer: 1,
      nHead: 2,
      nPositions: 64,
      dModel: 16,
      dHead: 8,
      dMlp: 32,
      layerNormEpsilon: 1e-5,
    };
    const model = GPT2.random({ ...shape, vocabSize, eosTokenId, bosTokenId: eosTokenId }, 3);
    const systems = [
      { id: "gpt2", label: "No operation", model },
      { id: "dpo", label: "DPO", model },
    ];
    const rows = await continuationExamples(evaluation, systems, ["Mine"]);
    const asked = examplePrompts(["Mine"]);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.at(-1)).toEqual({ key: "own-1", prompt: "Mine" });
    expect(rows.map(({ id }) => id)).toEqual(asked.flatMap(({ key }) => [`${key}/gpt2`, `${key}/dpo`]));
    for (const { tokens, continuation } of rows) {
      expect(tokens).toHaveLength(5);
      expect(continuation).not.toBe("");
    }
    model.dispose();
  });
});
