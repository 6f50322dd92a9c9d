import { describe, expect, it } from "vitest";
import { paperTable, paperValue } from "../../src/present/index.js";
import {
  activationLevelsTable,
  leaderActivationsTable,
  lensStepsTable,
  mlpShiftsTable,
  pairsNeedsTable,
  parametersByKindTable,
  parametersReadingsTable,
  pplmSettingsTable,
} from "../../src/present/tables/index.js";

const labels = { name: "own", title: "On fixed numbers", caption: "Not a result." };

describe("a table of a notebook", () => {
  it("counts the prompts of each level in each model, the paper's beside them", () => {
    const points = [
      { model: "GPT-2" as const, activation: 3, level: "High" as const },
      { model: "GPT-2" as const, activation: 1, level: "Low" as const },
      { model: "DPO" as const, activation: -1, level: "None" as const },
    ];
    const { rows } = activationLevelsTable([{ points }], { ...labels, figure: 4 }).json();
    const [gpt2, dpo] = paperTable("figure-4").rows.filter((row) => row["figure"] === 4);
    expect(rows[0]).toMatchObject({
      model: "GPT-2",
      mean: 2,
      high: 1,
      low: 1,
      none: 0,
      highPaper: gpt2!["high"],
    });
    expect(rows[1]).toMatchObject({
      model: "DPO",
      mean: -1,
      high: 0,
      low: 0,
      none: 1,
      nonePaper: dpo!["none"],
    });
  });

  it("says once per vector how constant the shift before it is", () => {
    const points = (["GPT-2", "DPO"] as const).map((model) => ({
      model,
      activation: 1,
      level: "Low" as const,
    }));
    const vector = { label: "MLP.v_1^2", cosine: 0.9, sameSign: 1, points };
    const { rows } = activationLevelsTable([vector, vector], { ...labels, figure: 6 }).json();
    expect(rows.map(({ cosine }) => cosine)).toEqual([0.9, null, 0.9, null]);
  });

  it("has the paper's peaks beside MLPs below layer 18 of a model of 24 layers, and nowhere else", () => {
    const mlp = {
      layer: 9,
      negative: 0.5,
      cosinePeak: 0,
      activationNegative: 1,
      activationPeak: -0.1,
      along: 0,
    };
    const peaks = (nLayer: number, below?: number): unknown[] =>
      mlpShiftsTable([below === undefined ? mlp : { below, ...mlp }], { ...labels, nLayer })
        .json()
        .rows.map(({ cosinePeakPaper }) => cosinePeakPaper);
    const published = paperTable("figure-10").rows.find(({ layer }) => layer === 9)!["cosinePeak"];
    expect(peaks(24)).toEqual([published]);
    expect(peaks(24, 18)).toEqual([published]);
    expect(peaks(24, 12)).toEqual([null]);
    expect(peaks(6)).toEqual([null]);
  });

  it("puts the paper's leaders beside ours by rank, and nothing where it has none", () => {
    const leaders = Array.from({ length: 9 }, (_, i) => ({ label: `v${i}`, before: 0.2, after: 0.05 }));
    const { rows } = leaderActivationsTable(leaders).json();
    const published = paperTable("figure-2").rows;
    expect(rows[0]!["theirs"]).toBe(published[0]!["activation"]);
    expect(rows[8]!["theirs"]).toBe(published[8]?.["activation"] ?? null);
    expect(rows[0]!["change"]).toBeCloseTo(-0.15, 12);
  });

  it("sorts the steps of the lens by what they add before DPO", () => {
    const steps = [0.1, -0.2, 0.4].map((rise, block) => ({ block, part: "mlp", rise }));
    const { rows } = lensStepsTable(steps, steps).json();
    expect(rows.map(({ block }) => block)).toEqual([2, 0, 1]);
    expect(rows[0]).toMatchObject({ gpt2: 0.4, dpo: 0.4 });
  });

  it("says whether a need is met", () => {
    const need = (measured: number) => ({ need: "difference", measured, bound: 0.1 });
    const { rows } = pairsNeedsTable([need(0.1), need(0.09)], { pairs: 2 }).json();
    expect(rows.map(({ met }) => met)).toEqual(["yes", "no"]);
  });

  it("ends the kinds of parameters with the paper's bounds", () => {
    const kind = {
      ...{ group: "biases", tensors: 1, vectors: 1, tensorMin: 1, vectorMin: 1, vectorMean: 0.75 },
      ...{ normDifference: 0, distance: 0, distanceMax: 0, perElement: 0, relative: 0 },
    };
    const { rows } = parametersByKindTable([kind]).json();
    expect(rows[0]!["turn"]).toBe(0.25);
    expect(rows[1]!["tensorMin"]).toBe(paperValue("parameter-cosine").value);
  });

  it("judges each reading by both bounds, and scales the rate to meet it", () => {
    const [bound, exception] = ["parameter-norm-difference", "unembedding-norm-difference"].map(
      (id) => paperValue(id).value,
    ) as [number, number];
    const reading = (others: number, unembedding: number) => ({
      label: "a",
      others,
      unembedding,
      own: 1,
      paper: null,
    });
    const run = { learningRate: 1e-5, steps: 10 };
    const { rows } = parametersReadingsTable(
      [
        reading(bound / 2, exception / 2),
        reading(bound / 2, exception * 2),
        reading(bound * 2, exception / 2),
        reading(bound * 2, exception * 2),
      ],
      { run, paperRun: run },
    ).json();
    expect(rows.map(({ within }) => within)).toEqual([
      "yes",
      "but for the unembedding",
      "the unembedding only",
      "no",
    ]);
    expect(rows[2]!["rate"]).toBeCloseTo(5e-6, 12);
    expect(rows[2]!["paperRate"]).toBeNull();
  });

  it("of PPLM's settings uses none where the pairs were read from elsewhere", () => {
    const about = { departures: {}, profile: "own", pairs: 3 };
    const read = pplmSettingsTable({ stepSize: 0.4 }, { ...about, source: "paradetox" }).json();
    expect(read.rows.every(({ verdict }) => verdict === "not used")).toBe(true);
    const made = pplmSettingsTable({ stepSize: 0.4 }, { ...about, source: "make" }).json();
    expect(made.rows.find(({ id }) => id === "stepSize")).toMatchObject({ verdict: "equal" });
  });
});
