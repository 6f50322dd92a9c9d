import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { AttributeModel } from "../../alignment/pplm/index.js";
import { sha256Of } from "@alignscope/base/checksum";
import { UserError } from "@alignscope/base/errors";
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

/** The probe that a notebook left, or a classifier head by name or path. */
async function openAttribute(named: string, model: string, dModel: number): Promise<AttributeModel> {
  const { attributeOfProbe, readAttributeHead } = await import("../../alignment/pplm/index.js");
  if (basename(named) !== "probe.json") return readAttributeHead(named, { dModel });
  if (!existsSync(named)) {
    throw new UserError(
      `no ${named}: run notebook 3.1-toxic-vectors, which makes it, or name another --attribute`,
    );
  }
  const { openArtifacts } = await import("../../data/artifacts.js");
  const artifacts = openArtifacts(dirname(named), { model });
  return attributeOfProbe(artifacts.readJson<Parameters<typeof attributeOfProbe>[0]>("probe.json"));
}

async function make(options: MakeOptions): Promise<void> {
  const { greedyContinuations, makePairs, parseShard, perturbedContinuations, readPairPrompts } =
    await import("../../alignment/pairs/index.js");
  const { PPLM_DEFAULTS } = await import("../../alignment/pplm/index.js");
  const { GPT2, Tokenizer } = await import("../../model/index.js");
  const { modelChecksum } = await import("@alignscope/base/checksum");
  const { locate } = await import("../../data/locate.js");
  const { openScorer } = await import("../../scorers/index.js");
  const { openBackend } = await import("@alignscope/tensors");
  const { maxNewTokens, maxPromptTokens, rowsPerChunk, seed, iterations, stepSize, negatives } = options;
  const shard = options.shard === undefined ? undefined : parseShard(options.shard);
  if (!options.out.endsWith(".jsonl"))
    throw new UserError(`--out: got ${options.out}, expected a name that ends with .jsonl`);

  const folder = await locate(options.model);
  const tokenizer = await Tokenizer.load(folder);
  const { prompts, report } = await readPairPrompts(options.prompts, {
    tokenizer,
    seed,
    maxPromptTokens,
    ...(options.count === undefined ? {} : { count: options.count }),
  });
  if (report.note !== undefined) console.error(report.note);
  const scorer = await openScorer(options.scorer);
  const backend = await openBackend(options.backend);
  const model = await GPT2.load(folder);
  const sha256 = await modelChecksum(folder);
  const attribute = await openAttribute(options.attribute, sha256, model.config.dModel);
  const pplm = { ...PPLM_DEFAULTS, iterations, stepSize };

  const abort = new AbortController();
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(130); // the second Ctrl-C does not wait
    abort.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  let rows = 0;
  try {
    const made = await makePairs({
      prompts,
      positive: greedyContinuations(model, { maxNewTokens }),
      negative: perturbedContinuations(model, {
        ...pplm,
        attribute,
        maxNewTokens,
        sample: negatives === "sampled",
      }),
      tokenizer,
      scorer,
      path: options.out,
      seed,
      rowsPerChunk,
      ...(shard ? { shard } : {}),
      settings: {
        model: sha256,
        attribute: sha256Of(JSON.stringify(attribute)),
        backend: backend.backend,
        maxNewTokens,
        negatives,
        pplm: { ...pplm, gradLength: pplm.gradLength === Infinity ? null : pplm.gradLength },
      },
      signal: abort.signal,
      onProgress: (done, total) => {
        rows = done;
        console.error(`${done} of ${total} rows`);
      },
    });
    if (options.json) console.log(JSON.stringify({ ...made, prompts: report }, null, 2));
    else
      console.log(
        `${made.path}: ${made.rows} rows${made.resumed > 0 ? `, ${made.resumed} of them from before` : ""}`,
      );
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    console.error(`alignscope: interrupted; ${rows} rows are kept, and the same command goes on from there`);
    process.exitCode = 130;
  } finally {
    process.removeListener("SIGINT", interrupt).removeListener("SIGTERM", interrupt);
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
