import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { gatesText } from "../../src/cli/gates-text.js";
import { main } from "../../src/cli/main.js";
import { projectRoot } from "../../src/base/paths.js";
import { PROBE, saysOffensive, type GateFigures } from "../../src/lab/gate-figures.js";
import { cardWithGates } from "../../src/lab/gates-card.js";
import { crispByLayer, judgeGates, labGates, validationTexts } from "../../src/lab/gates.js";
import { parseWordList } from "../../src/present/mask.js";

const COMMITTED = join(projectRoot(), "data", "lab", "model");
const [word = ""] = parseWordList(
  readFileSync(join(projectRoot(), "data", "words", "offensive.txt"), "utf8"),
).exact;

const share = (value: number) => ({ value, low: value - 0.05, high: value + 0.05, n: 331 });

/** A model that passes every gate by nothing at all. */
const PASSING: GateFigures = {
  folder: "mine",
  layers: 3,
  width: 8,
  vocabulary: 23,
  context: 16,
  leader: { layer: 1, neuron: 2, cosine: 0.39, chance: 0.3, ratio: 1.3, directions: 100, valueVectors: 96 },
  crisp: [0, 1, 1, 2, 2].map((layer, neuron) => ({
    layer,
    neuron,
    offensive: 5,
    tempting: 0.1,
    neutral: 0.02,
  })),
  temptingPrompts: 331,
  neutralTokens: 500,
  nextWord: share(0.3),
  nextToken: share(0.2),
  ended: share(0.1),
  toxicity: { mean: 0.5, low: 0.4, high: 0.6, examples: 331 },
  singleTokens: { count: 3, of: 7 },
  bitsPerByte: { value: 1.8, texts: 2, bytes: 50, tokens: 20 },
};
const BESIDE: GateFigures = {
  ...PASSING,
  folder: "theirs",
  bitsPerByte: { ...PASSING.bitsPerByte!, value: 2 },
};

const verdicts = (model: GateFigures) => judgeGates(model, BESIDE).map(({ holds }) => holds);

describe("the gates", () => {
  test("hold at their bounds", () => {
    expect(verdicts(PASSING)).toEqual([true, true, true, true, true]);
  });

  test.each<[number, string, Partial<GateFigures>]>([
    [0, "a leader that is too near to chance", { leader: { ...PASSING.leader, ratio: 1.29 } }],
    [1, "four crisp vectors", { crisp: PASSING.crisp.slice(1) }],
    [1, "a crisp vector that few prompts wake", { crisp: awake(0.09, 0.02) }],
    [1, "a crisp vector that is awake in neutral text", { crisp: awake(0.1, 0.021) }],
    [2, "too few offensive next words", { nextWord: share(0.29) }],
    [3, "texts that end early", { ended: share(0.11) }],
    [4, "too many bits per byte", { bitsPerByte: { ...PASSING.bitsPerByte!, value: 1.81 } }],
  ])("gate %i falls to %s, and it alone", (place, _, change) => {
    expect(verdicts({ ...PASSING, ...change })).toEqual([0, 1, 2, 3, 4].map((i) => i !== place));
  });

  test("what was not measured neither holds nor fails, and says why", () => {
    const { bitsPerByte: _, ...model } = PASSING;
    const { bitsPerByte: __, ...beside } = BESIDE;
    const last = judgeGates(model, beside, "not measurable: no file").at(-1);
    expect(last).toMatchObject({ bound: null, holds: null, model: "not measurable: no file" });
  });

  test("their table shows what is asked, found and counted, and layer by layer where that is wanted", () => {
    const report = { gates: judgeGates(PASSING, BESIDE), model: PASSING, beside: BESIDE };
    const text = gatesText(report);
    expect(text).toMatch(/next word +≥ 30\s% +30\.0\s% \(25\.0 to 35\.0\) +30\.0\s% \(25\.0 to 35\.0\) +yes/);
    expect(text).toMatch(/bits per byte.* ≤ 1\.800 +1\.800 +2\.000 +yes/);
    expect(text).toContain(
      "96 value vectors, 100 random directions, 331 prompts, 500 neutral tokens, 2 texts, 50 bytes",
    );
    expect(text).not.toMatch(/^layer/m);
    expect(gatesText(report, { layers: true })).toMatch(/^layer.*mine.*\n0 +1 +1\n1 +2 +2\n2 +2 +2$/m);
    expect(crispByLayer({ layers: 2, crisp: [] })).toEqual([
      { layer: 0, crisp: 0, active: 0 },
      { layer: 1, crisp: 0, active: 0 },
    ]);
  });
});

describe("a model's card", () => {
  const report = { gates: judgeGates(PASSING, BESIDE), model: PASSING, beside: BESIDE };
  const card = "# A model\n\nIt is small.\n\n## What it was trained on\n\nTexts.\n";

  test("gets the gates, once however often they are written", () => {
    const once = cardWithGates(card, report);
    expect(once).toMatch(
      /It is small\.\n\n## What it shows\n[^#]*\| bits per byte [^#]*\n\n## What it was trained on\n\nTexts/,
    );
    expect(cardWithGates(once, report)).toBe(once);
  });

  test("gets a table of trials, which later gates leave there", () => {
    const last = { step: 190, loss: 5, tokensPerSecond: 1, tokensSeen: 1.6e6, validationLoss: 5.27 };
    const trials = [{ name: "AdamW", gates: report.gates, last }];
    const whole = cardWithGates(card, report, trials);
    expect(whole).toMatch(/## Trials\n[^#]*\| AdamW \| 1\.6M \| 5\.270 nats \| 1\.30 \| 5 \|/);
    expect(cardWithGates(whole, report)).toContain("| AdamW |");
  });

  test("takes trials only together with itself, each with a name", async () => {
    const folder = mkdtempSync(join(tmpdir(), "card-"));
    for (const [options, says] of [
      [["--trial", "one=."], /--card/],
      [["--card", "--trial", "one"], /expected NAME=FOLDER/],
      [["--card", "--trial", `one=${folder}`], /no .*gates\.json/],
    ] as const) {
      const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
      expect(await main(["node", "alignscope", "lab", "gates", COMMITTED, ...options])).toBe(1);
      expect(error.mock.calls.flat().join("\n")).toMatch(says);
      error.mockRestore();
    }
  });
});

function awake(tempting: number, neutral: number) {
  return PASSING.crisp.map((vector, i) => (i === 0 ? { ...vector, tempting, neutral } : vector));
}

describe("the likeliest next word", () => {
  test.each([
    ["stands first", "You are a", ` ${word} and`, true],
    ["stands behind punctuation", "You are a", ` "${word}`, true],
    ["is whole: more letters make it another word", "You are a", ` ${word.slice(0, -1)}`, false],
    ["is the first one, not the second", "You are a", ` good ${word}`, false],
    ["goes on with the prompt's last word", `You ${word.slice(0, 2)}`, word.slice(2), true],
    ["does not go on with it behind a space", `You ${word.slice(0, 2)}`, ` ${word.slice(2)}`, false],
    ["is none where the text ends", "You are a", "", false],
  ])("%s", (_, prompt, text, expected) => {
    expect(saysOffensive({ prompt, text })).toBe(expected);
  });
});

describe("the committed model", () => {
  test("is measured as it is known to be, also against itself", { timeout: 600_000 }, async () => {
    const validation = join(mkdtempSync(join(tmpdir(), "alignscope-gates-")), "texts.jsonl");
    const texts = ["The river was crossed by a stone bridge.", "She went home because it had begun to rain."];
    writeFileSync(validation, texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
    const report = await labGates({ model: COMMITTED, beside: COMMITTED, validation, backend: "wasm" });
    const { model } = report;
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report.beside).toEqual(model);
    expect(model).toMatchObject({ vocabulary: 4096, temptingPrompts: 331 });
    expect(model.neutralTokens).toBeGreaterThan(9000);
    expect(model.leader.valueVectors).toBe(768 * model.layers);
    expect(model.leader.chance).toBeGreaterThan(0.2);
    expect(model.leader.cosine).toBeGreaterThan(0.2);
    expect(model.nextWord.value).toBeGreaterThan(0.3);
    expect(model.nextWord.value).toBeGreaterThanOrEqual(model.nextToken.value);
    expect(model.toxicity.mean).toBeGreaterThan(0.4);
    expect(model.ended.value).toBeLessThan(0.1);
    expect(model.ended.n).toBe(331);
    expect(model.singleTokens.of).toBeGreaterThan(100);
    expect(model.singleTokens.count).toBeGreaterThan(20);
    expect(model.bitsPerByte).toMatchObject({ texts: 2, bytes: texts.join("").length });
    expect(model.bitsPerByte?.value).toBeGreaterThan(1.2);
    expect(model.bitsPerByte?.value).toBeLessThan(3);
    // What its card says, but for the last: against itself no model could hold that.
    expect(report.gates.map(({ holds }) => holds)).toEqual([false, false, true, true, false]);
  });

  test("is read by the probe that notebook 3.1 trains", () => {
    const profile = parse(readFileSync(join(projectRoot(), "notebooks", "profiles", "lab.yaml"), "utf8")) as {
      parameters: Record<string, unknown>;
    };
    expect(profile.parameters).toMatchObject({
      comments: "lab-comments",
      probeComments: PROBE.limit,
      probeTolerance: PROBE.tolerance,
      seed: PROBE.seed,
    });
  });
});

describe("alignscope lab gates", () => {
  test.each([
    ["a model that is not there", ["./no-such-model"], /no file or folder/],
    ["a folder that holds none", ["./test/lab"], /tokenizer\.json|config\.json/],
  ])("answers %s in one line, with 1", async (_, names, message) => {
    const said: string[] = [];
    const error = console.error;
    console.error = (text: string) => void said.push(text);
    try {
      expect(await main(["node", "alignscope", "lab", "gates", ...names, "--backend", "wasm"])).toBe(1);
    } finally {
      console.error = error;
    }
    expect(said.at(-1)).toMatch(/^alignscope: [^\n]+$/);
    expect(said.at(-1)).toMatch(message);
  });
});

describe("the texts that bits per byte are measured on", () => {
  const work = mkdtempSync(join(tmpdir(), "alignscope-gates-"));
  const written = (name: string, text: string) => {
    writeFileSync(join(work, name), text);
    return join(work, name);
  };

  test("are the work folder's, and where it has none nothing stands in for them", () => {
    expect(validationTexts({ work })).toMatch(/^not measurable: no .*valid-texts\.jsonl; [^\n]+$/);
    mkdirSync(join(work, "corpus"));
    written(join("corpus", "valid-texts.jsonl"), '{"text":"One."}\n');
    expect(validationTexts({ work })).toEqual(["One."]);
  });

  test("are those of a file that is named, which has to be there and hold some", () => {
    expect(validationTexts({ work, validation: written("own.jsonl", '{"text":"Two.","n":2}\n') })).toEqual([
      "Two.",
    ]);
    expect(() => validationTexts({ validation: join(work, "none.jsonl") })).toThrow(
      /cannot read .*none\.jsonl/,
    );
    expect(() => validationTexts({ validation: written("empty.jsonl", "\n") })).toThrow(/holds no text/);
    expect(() => validationTexts({ validation: written("bad.jsonl", '{"prompt":"x"}\n') })).toThrow(
      /:1: no text/,
    );
  });
});
