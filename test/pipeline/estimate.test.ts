import { describe, expect, it } from "vitest";
import { modelShape, parameterCount } from "../../src/data/model-shape";
import { openProject, plan } from "../../src/pipeline";
import { estimate, type Estimate } from "../../src/pipeline/estimate";
import { memoryOf } from "../../src/pipeline/estimate/memory";
import { taskOf } from "../../src/pipeline/estimate/notebooks";
import {
  blockFlops,
  forwardFlops,
  generating,
  perturbing,
  training,
  trainingFlops,
  unembeddingFlops,
} from "../../src/pipeline/estimate/work";
import { effectiveParameters } from "../../src/pipeline/parameters";

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
  // Of a run on two cores with OpenBLAS; the other notebooks take less than the kernel's start.
  it.each([
    ["2-preliminaries", 7.6],
    ["3.1-toxic-vectors", 10.4],
    ["3.2-vocabulary-space", 6.8],
    ["3.3-interventions", 44.5],
    ["4.2-pairwise-data", 43.1],
    ["4.3-dpo", 44.6],
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

  it("stands for every notebook of the series with an estimate or a word that there is none", async () => {
    const { notebooks, unknown } = await estimateOf("paper");
    const { graph } = await openProject();
    expect([...notebooks.map(({ notebook }) => notebook), ...unknown].sort()).toEqual(
      graph.notebooks.map(({ name }) => name).sort(),
    );
  });

  it("comes with the plan's own parameters", async () => {
    const project = await openProject({ profile: "paper" });
    const [first] = await plan(project, { only: ["2"] });
    expect(first?.parameters["model"]).toEqual({ value: "gpt2-medium", source: "profile" });
  });
});
