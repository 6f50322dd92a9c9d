import { describe, expect, it } from "vitest";
import { modelShape, parameterCount } from "../../src/data/model-shape.js";
import { openProject, plan } from "../../src/pipeline/index.js";
import { estimate, type Estimate } from "../../src/pipeline/estimate/index.js";
import { memoryOf } from "../../src/pipeline/estimate/memory.js";
import { COMPUTES_NOTHING } from "../../src/pipeline/estimate/notebooks.js";
import { taskOf } from "../../src/pipeline/estimate/task.js";
import {
  attributing,
  blockFlops,
  forwardFlops,
  generating,
  perturbing,
  repeated,
  training,
  trainingFlops,
  unembeddingFlops,
} from "../../src/pipeline/estimate/work.js";
import { effectiveParameters } from "../../src/pipeline/parameters.js";

const medium = modelShape("gpt2-medium")!;

async function estimateOf(profile: string, given: Record<string, string> = {}): Promise<Estimate> {
  const project = await openProject({ profile, parameters: given });
  return estimate(
    project.graph.notebooks.map(({ name }) => ({
      notebook: name,
      counted: true,
      parameters: effectiveParameters(name, project.declared.get(name) ?? [], project.profile, given),
    })),
  )!;
}

const seconds = ({ notebooks }: Estimate, notebook: string, device = "cpu") =>
  notebooks.find((one) => one.notebook === notebook)?.seconds[device] ?? Number.NaN;

describe("the shape of a model", () => {
  it("is known by name without the model's files, and gives the published number of parameters", () => {
    expect(parameterCount(medium)).toBe(354_823_168);
    expect(parameterCount(modelShape("gpt2")!)).toBe(124_439_808);
    expect(modelShape("lab")).toEqual({ layers: 6, width: 192, vocabulary: 4096, context: 128 });
  });

  it("is undefined for a name that no model has and for a folder without a configuration", () => {
    for (const name of ["wiki-samples", "no-such-model", "./no/such/folder"])
      expect(modelShape(name)).toBeUndefined();
  });
});

describe("floating-point operations", () => {
  it("are 2 per parameter and token forward, and 6 in training", () => {
    const perToken = blockFlops(medium) + unembeddingFlops(medium);
    // Position embeddings, biases and layer norms are met by addition only.
    expect(perToken / (2 * parameterCount(medium))).toBeCloseTo(1, 2);
    expect(forwardFlops(medium, 10)).toBe(10 * perToken);
    expect(trainingFlops(medium, 10)).toBe(3 * forwardFlops(medium, 10));
    expect(training(medium, "", { pairs: 3, tokens: 5, batch: 2 }).flops).toBe(30 * 3 * perToken);
  });

  it("of a continuation grow with each token, of which the last is not read", () => {
    const sizes = { texts: 1, prompt: 10, batch: 1 };
    const one = generating(medium, "", { ...sizes, tokens: 1 }).flops;
    expect(one).toBe(10 * blockFlops(medium) + unembeddingFlops(medium));
    expect(generating(medium, "", { ...sizes, tokens: 3 }).flops - one).toBe(forwardFlops(medium, 2));
  });

  it("of gradients of activations are 4 per parameter and token: no weight has one", () => {
    const read = { texts: 3, tokens: 5, batch: 2 };
    expect(attributing(medium, "", read)).toMatchObject({ flops: 2 * forwardFlops(medium, 15), passes: 6 });
  });

  it("of work that is repeated are as many times those of one, on the host as well", () => {
    const one = { what: "one", flops: 5, passes: 2, hostFlops: 7 };
    expect(repeated(3, one)).toEqual({ what: "one", flops: 15, passes: 6, hostFlops: 21 });
    expect(repeated(3, { what: "one", flops: 5, passes: 2 })).toMatchObject({ hostFlops: 0 });
  });

  it("of PPLM are two tokens and as much again per iteration: the 24,576 pairs of the paper take about 2e17", () => {
    const sizes = { texts: 24_576, prompt: 32, tokens: 64, batch: 256 };
    const { flops } = perturbing(medium, "", { ...sizes, iterations: 50 });
    expect(flops).toBeGreaterThan(1.5e17);
    expect(flops).toBeLessThan(3e17);
    const without = perturbing(medium, "", { ...sizes, iterations: 0 }).flops;
    expect((flops - without) / (24_576 * 64 * 50 * 4 * forwardFlops(medium, 1))).toBeCloseTo(1, 12);
  });
});

describe("the estimate", () => {
  // Of runs on two cores with OpenBLAS: one of sections 2 to 4, and one of the whole series for what follows them.
  it.each([
    ["2-preliminaries", 7.6],
    ["3.1-toxic-vectors", 10.4],
    ["3.2-vocabulary-space", 6.8],
    ["3.3-interventions", 44.5],
    ["4.2-pairwise-data", 43.1],
    ["4.3-dpo", 44.6],
    ["5.1-parameters", 8.4],
    ["5.2-residual-shift", 18.2],
    ["5.3-unalign", 62.5],
    ["A-vocabulary-projection", 12.5],
    ["B-residual-shift-layers", 9.1],
    ["C-value-vector-shift-layers", 10.9],
    ["D-hyperparameters", 6.8],
  ])("is within a factor of two of the lab profile's %s, which took %s s", async (notebook, measured) => {
    const ratio = seconds(await estimateOf("lab"), notebook) / measured;
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  it.each(["lab", "lab-full", "gpt2", "paper"])(
    "of the profile %s is finite and above zero on every device, and adds up",
    async (profile) => {
      const { notebooks, totalSeconds, devices, memory } = await estimateOf(profile);
      for (const { id } of devices) {
        for (const one of notebooks) expect(one.seconds[id], one.notebook).toBeGreaterThan(0);
        const sum = notebooks.reduce((total, one) => total + (one.seconds[id] ?? 0), 0);
        expect(totalSeconds[id]! / sum).toBeCloseTo(1, 9);
        expect(Number.isFinite(sum)).toBe(true);
      }
      expect(memory.bytes).toBeGreaterThan(memory.weights);
    },
  );

  it("grows from profile to profile, and with what is asked for", async () => {
    const totals = [];
    for (const profile of ["lab", "lab-full", "gpt2", "paper"])
      totals.push((await estimateOf(profile)).totalSeconds["gpu"]!);
    expect(totals).toEqual([...totals].sort((a, b) => a - b));
    const few = await estimateOf("paper", { pairCount: "6000" });
    const ratio =
      seconds(few, "4.2-pairwise-data", "gpu") /
      seconds(await estimateOf("paper"), "4.2-pairwise-data", "gpu");
    expect(ratio).toBeCloseTo(6000 / 24_576, 1);
  });

  it("says outright that a GPU was never measured, and what rate is assumed", async () => {
    const gpu = (await estimateOf("paper")).devices.find(({ id }) => id === "gpu");
    expect(gpu).toMatchObject({
      flopsPerSecond: 5e12,
      basis: expect.stringContaining("never measured") as string,
    });
  });

  it("names the notebooks that nobody has modelled, and leaves out those that load no model", () => {
    const given = (value: string) => ({ model: { value, source: "profile" as const } });
    const seen = estimate([
      { notebook: "2-preliminaries", parameters: given("lab"), counted: true },
      { notebook: "9-another", parameters: given("lab"), counted: true },
    ]);
    expect(seen?.unknown).toEqual(["9-another"]);
    expect(estimate([{ notebook: "9-another", parameters: {}, counted: true }])).toBeUndefined();
  });

  it("counts what is up to date for nothing", () => {
    const parameters = { model: { value: "lab", source: "profile" as const } };
    const seen = estimate([{ notebook: "2-preliminaries", parameters, counted: false }]);
    expect(seen?.totalSeconds).toEqual({ cpu: 0, gpu: 0 });
  });

  it("of memory counts four copies of the weights in DPO", () => {
    const task = taskOf(medium, {});
    expect(memoryOf("4.3-dpo", task).bytes).toBe(16 * parameterCount(medium));
  });

  it.each(["5.2-residual-shift", "B-residual-shift-layers", "C-value-vector-shift-layers"])(
    "of memory counts both models of %s, as they are and with folded weights",
    (notebook) => {
      const { bytes } = memoryOf(notebook, taskOf(medium, {}));
      expect(bytes).toBeGreaterThan(16 * parameterCount(medium));
    },
  );

  it.each(["lab", "lab-full", "gpt2", "paper"])(
    "of the profile %s stands for every notebook of the series: it has work, or is known to compute nothing",
    async (profile) => {
      const { notebooks, unknown } = await estimateOf(profile);
      const { graph } = await openProject();
      expect(unknown).toEqual([]);
      expect(notebooks.map(({ notebook }) => notebook).sort()).toEqual(
        graph.notebooks.map(({ name }) => name).sort(),
      );
      for (const { notebook, parts } of notebooks) {
        const operations = parts.map(({ flops, hostFlops }) => flops + hostFlops);
        expect(operations.length === 0, notebook).toBe(COMPUTES_NOTHING.has(notebook));
        for (const each of operations) expect(each, notebook).toBeGreaterThan(0);
      }
    },
  );

  it("of un-aligning grows with every key number and factor of the sweep and every random draw", async () => {
    const flops = async (given: Record<string, string>) =>
      (await estimateOf("paper", given)).notebooks.find(({ notebook }) => notebook === "5.3-unalign")!.flops;
    const one = await flops({ unalignKeys: "[7]", unalignScales: "[10]", unalignRandomDraws: "0" });
    const sweep = await flops({ unalignKeys: "[3, 7]", unalignScales: "[5, 10]", unalignRandomDraws: "0" });
    const draws = await flops({ unalignKeys: "[7]", unalignScales: "[10]", unalignRandomDraws: "3" });
    expect(sweep).toBeGreaterThan(one);
    expect(draws).toBeGreaterThan(one);
    // Twelve more models by the sweep's sizes, three by those of table 4.
    const [prompts, passages, kept] = [1199, 2000, 32];
    const each = { texts: 128, prompt: kept, tokens: 20, batch: 16 };
    const glance = generating(medium, "", each).flops + forwardFlops(medium, 16_384);
    expect((sweep - one) / (12 * glance)).toBeCloseTo(1, 9);
    const spoken = generating(medium, "", { ...each, texts: prompts + passages }).flops;
    expect((draws - one) / 3).toBeGreaterThan(spoken);
  });

  it("of section 5.2 is dearer where each model reads its own continuation", async () => {
    const [published, corrected] = await Promise.all(
      ["as-published", "corrected"].map((protocol) => estimateOf("paper", { protocol })),
    );
    expect(seconds(corrected!, "5.2-residual-shift", "gpu")).toBeGreaterThan(
      seconds(published!, "5.2-residual-shift", "gpu"),
    );
  });

  it("of appendix C follows the layers that are named, four where none are", async () => {
    const of = async (shiftLayers: string) =>
      (await estimateOf("paper", { shiftLayers })).notebooks
        .find(({ notebook }) => notebook === "C-value-vector-shift-layers")!
        .parts.find(({ what }) => what === "value vectors' shifts")!.hostFlops;
    expect(await of("[]")).toBe(await of("[12, 14, 16, 18]"));
    expect((await of("[12]")) * 4).toBe(await of("[]"));
  });

  it("comes with the plan's own parameters", async () => {
    const project = await openProject({ profile: "paper" });
    const [first] = await plan(project, { only: ["2"] });
    expect(first?.parameters["model"]).toEqual({ value: "gpt2-medium", source: "profile" });
  });
});
