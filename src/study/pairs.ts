import {
  makePplmPairs,
  type MadePairs,
  type MakePplmPairsOptions,
  type PairRecipe,
} from "../alignment/pairs/index.js";
import { openAttribute } from "../alignment/pplm/index.js";
import { openScorer } from "../scorers/index.js";
import type { Study, WorkFolder } from "./study.js";

/** What decides the pairs of a run, by the names that the parameters have in notebooks and profiles. */
export interface PairParameters {
  /** Beginnings of sentences: a name of the registry, or a path. */
  pairPrompts: string;
  pairCount: number;
  pairPromptTokens: number;
  pairNewTokens: number;
  /** Prompts that are continued together. */
  pairBatch: number;
  /** What PPLM steers towards: "probe", the artifact, or a two-class head by name or path. */
  attribute: string;
  pplmStepSize: number;
  pplmIterations: number;
  pplmTemperature: number;
  pplmTopK: number;
  pplmWindow: number;
  pplmHorizon: number;
  pplmDecay: boolean;
  pplmGamma: number;
  pplmGmScale: number;
  pplmKlScale: number;
  negatives: "sampled" | "greedy";
  scorer: string;
  seed: number;
}

/** Makes the pairs of a run, whole in the notebook or a part of them beside it. */
export interface PairMaker {
  recipe: PairRecipe;
  /** Where the whole file grows until it is an artifact. */
  workFolder: WorkFolder;
  /** Makes them, in {@link PairMaker.workFolder} unless another path is given. */
  make(
    options?: Partial<Pick<MakePplmPairsOptions, "path" | "shard" | "signal" | "onProgress" | "onPrompts">>,
  ): Promise<MadePairs>;
}

/**
 * What makes the preference pairs of a run with its parameters: the parts that are made side by side are taken up by the
 * notebook because both ask here.
 *
 * @throws UserError where what PPLM is to steer towards is missing, or of another model
 * @example
 * const pairs = await openPairMaker(study, parameters);
 * const { path } = await pairs.make({ onProgress: progress("pairs").report });
 */
export async function openPairMaker(study: Study, parameters: PairParameters): Promise<PairMaker> {
  const { pairPrompts, pairCount, pairPromptTokens, pairNewTokens, negatives } = parameters;
  const { scorer, pairBatch, seed } = parameters;
  const recipe = {
    ...{ pairPrompts, pairCount, pairPromptTokens, pairNewTokens },
    steering: await openAttribute(parameters.attribute, {
      artifacts: study.artifacts,
      dModel: study.model.config.dModel,
    }),
    pplm: {
      stepSize: parameters.pplmStepSize,
      iterations: parameters.pplmIterations,
      temperature: parameters.pplmTemperature,
      topK: parameters.pplmTopK,
      windowLength: parameters.pplmWindow,
      horizon: parameters.pplmHorizon,
      decay: parameters.pplmDecay,
      gamma: parameters.pplmGamma,
      gmScale: parameters.pplmGmScale,
      klScale: parameters.pplmKlScale,
    },
    negatives,
  };
  const workFolder = study.workFolder("pairs", [recipe, scorer, pairBatch, seed]);
  return {
    recipe,
    workFolder,
    make: async (options = {}) =>
      makePplmPairs(study, recipe, {
        path: workFolder.path("pairs.jsonl"),
        scorer: await openScorer(scorer),
        rowsPerChunk: pairBatch,
        seed,
        settings: { key: workFolder.key },
        ...options,
      }),
  };
}
