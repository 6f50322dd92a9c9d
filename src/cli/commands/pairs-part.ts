import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { AttributeModel } from "../../alignment/pplm/index.js";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic } from "@alignscope/base/files";
import { addProjectOptions, projectOptions } from "../project-options.js";
import { untilSignalled } from "../signals.js";

/** The notebook whose pairs these are. */
const NOTEBOOK = "4.2-pairwise-data";

interface Values {
  text: (name: string) => string;
  number: (name: string) => number;
  flag: (name: string) => boolean;
}

/** What the notebook would run with, by its own names. */
async function openValues(
  options: Parameters<typeof projectOptions>[0],
): Promise<{ values: Values; outputs: string; outputsParameter: string }> {
  const { openProject, parametersOf } = await import("../../pipeline/index.js");
  const project = await openProject(projectOptions(options));
  const notebook = project.graph.notebooks.find(({ name }) => name === NOTEBOOK);
  if (!notebook) throw new UserError(`no ${NOTEBOOK} in this series: expected the notebook that makes pairs`);
  const parameters = parametersOf(project, notebook);
  const get = (name: string, type: string): unknown => {
    const value = parameters[name]?.value;
    if (typeof value === type) return value;
    throw new UserError(`${name} of ${NOTEBOOK}: got ${String(value)}, expected a ${type}`);
  };
  return {
    values: {
      text: (name) => get(name, "string") as string,
      number: (name) => get(name, "number") as number,
      flag: (name) => get(name, "boolean") as boolean,
    },
    outputs: project.outputs,
    outputsParameter: project.outputsParameter,
  };
}

/** As the notebook's cells do, word for word: what differed would be refused when the notebook takes the parts up. */
async function makePart(
  word: string,
  { out, ...options }: Parameters<typeof projectOptions>[0] & { out?: string },
): Promise<void> {
  const { greedyContinuations, makePairs, parseShard, perturbedContinuations, readPairPrompts, shardPath } =
    await import("../../alignment/pairs/index.js");
  const { attributeOfProbe, readAttributeHead } = await import("../../alignment/pplm/index.js");
  const { openStudy } = await import("../../study/index.js");
  const { openScorer } = await import("../../scorers/index.js");
  const shard = parseShard(word);
  const { values, outputs, outputsParameter } = await openValues(options);
  const { text, number, flag } = values;
  if (text("pairs") !== "make") {
    throw new UserError(
      `pairs: got ${text("pairs")}, expected make: this profile reads pairs, it makes none`,
    );
  }
  const whole = out ?? join(outputs, "pairs", "pairs.jsonl");
  if (!whole.endsWith(".jsonl")) {
    throw new UserError(`--out: got ${whole}, expected a name that ends with .jsonl`);
  }
  const [scorer, seed, rowsPerChunk] = [text("scorer"), number("seed"), number("pairBatch")];
  const study = await openStudy({
    model: text("model"),
    outputs: outputsParameter,
    backend: text("backend"),
    profile: text("profile"),
  });
  const steering: AttributeModel =
    text("attribute") === "probe"
      ? attributeOfProbe(study.artifacts.readJson<Parameters<typeof attributeOfProbe>[0]>("probe.json"))
      : await readAttributeHead(text("attribute"), { dModel: study.model.config.dModel });
  const pplm = {
    stepSize: number("pplmStepSize"),
    iterations: number("pplmIterations"),
    temperature: number("pplmTemperature"),
    topK: number("pplmTopK"),
    windowLength: number("pplmWindow"),
    horizon: number("pplmHorizon"),
    decay: flag("pplmDecay"),
    gamma: number("pplmGamma"),
    gmScale: number("pplmGmScale"),
    klScale: number("pplmKlScale"),
  };
  const settings = {
    pairPrompts: text("pairPrompts"),
    pairCount: number("pairCount"),
    pairPromptTokens: number("pairPromptTokens"),
    pairNewTokens: number("pairNewTokens"),
    steering,
    pplm,
    negatives: text("negatives"),
  };
  const { prompts, report } = await readPairPrompts(settings.pairPrompts, {
    tokenizer: study.tokenizer,
    seed,
    count: settings.pairCount,
    maxPromptTokens: settings.pairPromptTokens,
  });
  if (report.note !== undefined) console.error(report.note);
  const work = [settings, scorer, rowsPerChunk, seed];
  const { key } = study.workshop("pairs", work); // the notebook's own
  const to = shardPath(whole, shard);
  // A killed part goes on there, each part in a place of its own; whoever runs the parts finds whole files only.
  const shop = study.workshop("pairs-part", [...work, resolve(to)]);
  const maxNewTokens = settings.pairNewTokens;
  let rows = 0;
  const { value, signal } = await untilSignalled(async (abort) => {
    try {
      return await makePairs({
        prompts,
        positive: greedyContinuations(study.model, { maxNewTokens }),
        negative: perturbedContinuations(study.model, {
          ...pplm,
          attribute: steering,
          maxNewTokens,
          sample: settings.negatives === "sampled",
        }),
        tokenizer: study.tokenizer,
        scorer: await openScorer(scorer),
        path: shop.path("pairs.jsonl"),
        shard,
        seed,
        rowsPerChunk,
        settings: { ...settings, key },
        signal: abort,
        onProgress: (done, total) => {
          rows = done;
          console.error(`${done} of ${total} rows`);
        },
      });
    } catch (error) {
      if (!abort.aborted) throw error;
      return undefined;
    }
  });
  if (!value) {
    console.error(`alignscope: interrupted; ${rows} rows are kept, and the same command goes on from there`);
    process.exitCode = signal === "SIGTERM" ? 143 : 130;
    return;
  }
  publishPart(value.path, to);
  shop.clear();
  console.log(
    `${to}: ${value.rows} rows${value.resumed > 0 ? `, ${value.resumed} of them from before` : ""}`,
  );
}

/** Note first: whoever finds the part finds what it was made with. */
function publishPart(from: string, to: string): void {
  for (const suffix of [".meta.json", ""])
    writeFileAtomic(`${to}${suffix}`, readFileSync(`${from}${suffix}`));
}

/** `alignscope pairs part`: what the notebook of the series would make, in parts side by side. */
export function pairsPartCommand(pairs: Command): void {
  addProjectOptions(
    pairs
      .command("part")
      .description(
        `make one part of the pairs that the notebook ${NOTEBOOK} of a run would make, with the same parameters; merged ` +
          "(`alignscope pairs merge`) they are the same file, which the notebook takes with -p pairsBegun FILE",
      )
      .argument("<i/n>", "the i-th of n equal parts: 1/4"),
  )
    .option(
      "--out <file>",
      "the file of the whole, beside which parts lie (default: OUTPUTS/pairs/pairs.jsonl)",
    )
    .action(makePart);
}
