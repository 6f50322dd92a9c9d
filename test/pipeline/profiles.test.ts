import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { readNotebook } from "../../src/jupyter/index.js";
import { loadProfile, openProject, profileNames } from "../../src/pipeline/index.js";

const folder = join(projectRoot(), "notebooks", "profiles");
const profiles = profileNames(folder).map((name) => loadProfile(folder, name));

/** Follow from the run itself: no profile can set them. */
const FROM_THE_RUN = ["profile", "outputs"];

/**
 * Parameters that no profile mentions on purpose: what they decide is the same for every model and every size of data.
 * A new parameter belongs into all profiles, or here.
 */
const SAME_EVERYWHERE = [
  // 2: a look at a few windows.
  ...["windowLength", "windowCount"],
  // 3.2, 4.2: how much is shown and kept.
  ...["keptDirections", "topTokenCount", "shownPairs"],
  // 4.2: a file that the run of a workflow names.
  "pairsBegun",
  // 3.3, 4.3: the official protocol; and prompts of our own beside the paper's.
  ...["protocol", "examples"],
  // A: a check on a few prompts.
  ...["projectionPrompts", "testedVectors", "coefficient"],
  // 5.1, 5.2, B, C: the paper's numbers of vectors and prompts in its figures, and how much is shown.
  ...["shownVectors", "leaders", "lowestDepth", "shiftPrompts", "drawnPrompts", "sketchedPrompts"],
];

/** Sizes and hyperparameters that the paper, its appendix or its official configuration states. */
const PAPER: Record<string, unknown> = {
  model: "gpt2-medium",
  prompts: "realtoxicityprompts-challenge",
  promptCount: 1199,
  continuationCount: 2000,
  perplexityText: "wikitext-2-raw-test",
  padding: "as-published",
  maxNewTokens: 20,
  minNewTokens: 0,
  svdVectors: 512,
  pairCount: 24_576,
  // Table 6
  pplmStepSize: 0.4,
  pplmTemperature: 1,
  pplmTopK: 10,
  pplmIterations: 50,
  pplmWindow: 0,
  pplmHorizon: 1,
  pplmDecay: false,
  pplmGamma: 1,
  pplmGmScale: 0.95,
  pplmKlScale: 0.1,
  // Table 5, and what only the official configuration says
  dpoBeta: 0.1,
  dpoLearningRate: 1e-6,
  dpoBatch: 4,
  dpoMaxGradNorm: 10,
  dpoPatience: 10,
  dpoWarmupSteps: 150,
  dpoPromptTokens: 64,
  dpoNewTokens: 64,
  dpoValidationSize: 64,
  dpoEvaluateEvery: 100,
  dpoKlGamma: 0,
  dpoTrainable: "all",
  seed: 42,
  // Figure 1
  lensPrompts: "logit-lens-prompts",
  lensToken: 7510,
  lensSteep: 3,
};

/** Names of the parameters that a notebook's text gives the paper's value of: "(paper: 128)". */
function withPaperValue(source: string): string[] {
  return [...source.matchAll(/\/\*\*([^\n]*)\*\/\nconst (\w+)/g)]
    .filter(([, words]) => /\(paper|in the paper|paper's/.test(words ?? ""))
    .map(([, , name]) => name ?? "");
}

describe("the profiles", () => {
  it("all set the same parameters", () => {
    const [first] = profiles.map(({ parameters }) => Object.keys(parameters).sort());
    for (const { name, parameters } of profiles) expect(Object.keys(parameters).sort(), name).toEqual(first);
  });

  it("set every parameter that a notebook declares, but for those that are the same everywhere on purpose", async () => {
    const { declared } = await openProject();
    const names = [...new Set([...declared.values()].flat().map(({ name }) => name))];
    for (const { name: profile, parameters } of profiles) {
      const silent = names.filter(
        (name) => !(name in parameters) && !FROM_THE_RUN.includes(name) && !SAME_EVERYWHERE.includes(name),
      );
      expect(silent, `parameters that the profile ${profile} does not mention`).toEqual([]);
    }
    // The list above names nothing that is gone, or set after all.
    expect(SAME_EVERYWHERE.filter((name) => !names.includes(name))).toEqual([]);
    for (const { parameters } of profiles) {
      expect(SAME_EVERYWHERE.filter((name) => name in parameters)).toEqual([]);
    }
  });

  it("stand over a parameter that has the same default in every notebook", async () => {
    const { declared, graph } = await openProject();
    const defaults = new Map<string, unknown>();
    for (const { name: notebook } of graph.notebooks) {
      for (const parameter of declared.get(notebook) ?? []) {
        const before = defaults.get(parameter.name);
        if (before !== undefined)
          expect(parameter.default, `${parameter.name} of ${notebook}`).toEqual(before);
        defaults.set(parameter.name, parameter.default);
      }
    }
  });
});

describe("the profile paper", () => {
  const paper = profiles.find(({ name }) => name === "paper");

  it.each(Object.entries(PAPER))("sets %s to what was published, %j", (name, value) => {
    expect(paper?.parameters[name]).toEqual(value);
  });

  it("sets every parameter whose description gives the paper's value", async () => {
    const { graph } = await openProject();
    const named = graph.notebooks.flatMap(({ path }) => {
      const cell = readNotebook(path).cells.find(({ metadata }) => metadata.tags?.includes("parameters"));
      return withPaperValue(cell?.source ?? "");
    });
    expect(named.length).toBeGreaterThan(0);
    const open = named.filter((name) => !SAME_EVERYWHERE.includes(name));
    expect([...new Set(open)].filter((name) => !(name in (paper?.parameters ?? {})))).toEqual([]);
  });
});
