import { basename, dirname } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { UserError } from "@alignscope/base/errors";
import { madeText, makeWatched, parseShard } from "../pair-making.js";
import { positiveInteger } from "../project-options.js";

interface MakeOptions {
  model: string;
  prompts: string;
  count?: number;
  out: string;
  shard?: string;
  attribute: string;
  iterations: number;
  stepSize: number;
  negatives: "sampled" | "greedy";
  maxNewTokens: number;
  maxPromptTokens: number;
  rowsPerChunk: number;
  seed: number;
  scorer: string;
  backend: string;
  json?: boolean;
}

async function make({ model: name, out: path, ...options }: MakeOptions): Promise<void> {
  const { makePplmPairs } = await import("../../alignment/pairs/index.js");
  const { openAttribute, PPLM_DEFAULTS } = await import("../../alignment/pplm/index.js");
  const { GPT2, Tokenizer } = await import("../../model/index.js");
  const { openArtifacts } = await import("../../data/artifacts.js");
  const { modelChecksum } = await import("@alignscope/base/checksum");
  const { locate } = await import("../../data/locate.js");
  const { openScorer } = await import("../../scorers/index.js");
  const { openBackend } = await import("@alignscope/tensors");
  const { attribute, count, iterations, stepSize, negatives, rowsPerChunk, seed } = options;
  const shard = options.shard === undefined ? undefined : parseShard(options.shard);
  if (!path.endsWith(".jsonl"))
    throw new UserError(`--out: got ${path}, expected a name that ends with .jsonl`);

  const scorer = await openScorer(options.scorer);
  const { backend } = await openBackend(options.backend);
  const folder = await locate(name);
  const checksum = await modelChecksum(folder);
  const tokenizer = await Tokenizer.load(folder);
  const model = await GPT2.load(folder);
  try {
    // The probe of a run is named by its file.
    const steering = await openAttribute(basename(attribute) === "probe.json" ? "probe" : attribute, {
      artifacts: openArtifacts(dirname(attribute), { model: checksum }),
      dModel: model.config.dModel,
    });
    const recipe = {
      pairPrompts: options.prompts,
      ...(count === undefined ? {} : { pairCount: count }),
      pairPromptTokens: options.maxPromptTokens,
      pairNewTokens: options.maxNewTokens,
      steering,
      pplm: { ...PPLM_DEFAULTS, iterations, stepSize },
      negatives,
    };
    let report: object = {};
    const made = await makeWatched((watch) =>
      makePplmPairs({ model, tokenizer }, recipe, {
        ...watch,
        ...(shard ? { shard } : {}),
        path,
        scorer,
        seed,
        rowsPerChunk,
        settings: { model: checksum, backend },
        onPrompts: (prompts) => {
          report = prompts.report;
          watch.onPrompts?.(prompts);
        },
      }),
    );
    if (!made) return;
    console.log(
      options.json ? JSON.stringify({ ...made, prompts: report }, null, 2) : madeText(made, made.path),
    );
  } finally {
    model.dispose();
  }
}

function integer(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError("expected a whole number");
  return Number(text);
}

function number(text: string): number {
  if (text.trim() === "" || !Number.isFinite(Number(text)))
    throw new InvalidArgumentError("expected a number");
  return Number(text);
}

/** `alignscope pairs make`: greedy continuations preferred to PPLM's. */
export function pairsMakeCommand(pairs: Command): void {
  pairs
    .command("make")
    .description(
      "make pairs: of each prompt the model's greedy continuation, preferred, and one that PPLM steers towards toxicity; " +
        "goes on where an earlier run stopped",
    )
    .requiredOption("--out <file>", "where to, NAME.jsonl; a shard goes to NAME.shard-i-of-n.jsonl")
    .option("--model <name>", "whose continuations", "lab")
    .option("--prompts <name>", "data set or file: lab-prefixes, wikitext-2-raw, …", "lab-prefixes")
    .option("--count <n>", "no more than so many pairs", positiveInteger)
    .option(
      "--shard <i/n>",
      "only the i-th of n equal parts; put them together with `alignscope pairs merge`",
    )
    .option(
      "--attribute <name>",
      "what to steer towards: the probe.json of a run, or a head such as pplm-toxicity-head",
      "outputs/lab/artifacts/probe.json",
    )
    .option("--iterations <n>", "PPLM: steps per token", integer, 50)
    .option("--step-size <x>", "PPLM: length of a step", number, 0.4)
    .addOption(
      new Option("--negatives <how>", "whether PPLM's tokens are drawn or the likeliest")
        .choices(["sampled", "greedy"])
        .default("sampled"),
    )
    .option("--max-new-tokens <n>", "length of both sides", positiveInteger, 64)
    .option("--max-prompt-tokens <n>", "longer prompts are cut", positiveInteger, 32)
    .option(
      "--rows-per-chunk <n>",
      "rows that are computed together, and lost at most when it is killed",
      positiveInteger,
      32,
    )
    .option("--seed <n>", "order of the prompts, and what is drawn", integer, 42)
    .option("--scorer <name>", "says how toxic each side is", "linear")
    .option("--backend <name>", "auto, cuda, native, webgpu, wasm or cpu", "auto")
    .option("--json", "for machines: what was made, and of which prompts")
    .action(make);
}
