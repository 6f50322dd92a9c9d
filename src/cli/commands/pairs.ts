import { type Command, Option } from "commander";
import type { ReadPairs, Rewrites } from "../../alignment/pairs/index.js";
import type { PairsSummary } from "../../alignment/pairs/describe.js";
import type { MeanWithInterval } from "../../metrics/bootstrap.js";
import { columns } from "@alignscope/base/columns";
import { positiveInteger } from "../project-options.js";
import { pairsMakeCommand } from "./pairs-make.js";
import { pairsPartCommand } from "./pairs-part.js";

interface DescribeOptions {
  model?: string;
  scorer?: string;
  rewrites: Rewrites;
  strict?: boolean;
  json?: boolean;
}

type Named = [name: string, value: MeanWithInterval][];

async function describe(nameOrPath: string, options: DescribeOptions): Promise<void> {
  const { describePairs, readPairs } = await import("../../alignment/pairs/index.js");
  const { bootstrapMean } = await import("../../metrics/bootstrap.js");
  const { openScorer } = await import("../../scorers/index.js");
  const { Tokenizer } = await import("../../model/index.js");
  const { locate } = await import("../../data/locate.js");
  const { strict = false, rewrites } = options;
  const read = await readPairs(nameOrPath, { strict, rewrites });
  const summary = await describePairs(read.pairs, {
    ...(options.model !== undefined && { tokenizer: await Tokenizer.load(await locate(options.model)) }),
    ...(options.scorer !== undefined && { scorer: await openScorer(options.scorer) }),
  });
  const { tokens, toxicity } = summary;
  const numbers: Named = [
    ...(tokens
      ? (["prompt", "chosen", "rejected"] as const).map((side) => [`tokens, ${side}`, tokens[side]] as const)
      : []),
    ...(toxicity
      ? (["chosen", "rejected"] as const).map((side) => [`toxicity, ${side}`, toxicity[side]] as const)
      : []),
  ].map(([name, values]) => [name, bootstrapMean(values)]);
  if (options.json) console.log(JSON.stringify(asJson(read, summary, numbers), null, 2));
  else console.log(inWords(read, summary, numbers));
}

function asJson({ report }: ReadPairs, { pairs, toxicity }: PairsSummary, numbers: Named): object {
  return {
    pairs,
    ...report,
    means: Object.fromEntries(numbers),
    ...(toxicity && { rejectedMoreToxic: toxicity.rejectedMoreToxic }),
  };
}

function inWords({ report }: ReadPairs, { pairs, toxicity }: PairsSummary, numbers: Named): string {
  const { empty, same, duplicate } = report.dropped;
  const rows = report.files.reduce((sum, file) => sum + file.rows, 0);
  const lines = [
    `${pairs} pairs of ${rows} rows in ${report.files.length} file${report.files.length === 1 ? "" : "s"}`,
  ];
  if (empty + same + duplicate > 0) {
    lines.push(`dropped: ${empty} with an empty side, ${same} with equal sides, ${duplicate} duplicates`);
    lines.push(...report.places.map((place) => `  ${place}`));
  }
  if (report.missing > 0) lines.push(`not made yet: ${report.missing} rows`);
  if (numbers.length > 0) {
    const table = numbers.map(([name, { mean, low, high }]) => [
      name,
      shown(mean),
      `${shown(low)} to ${shown(high)}`,
    ]);
    lines.push(columns([["", "mean", "95% interval"], ...table]));
  }
  if (toxicity) {
    lines.push(
      `the rejected side is the more toxic one in ${(100 * toxicity.rejectedMoreToxic).toFixed(1)}% of the pairs`,
    );
  }
  return lines.join("\n");
}

function shown(value: number): string {
  return value.toFixed(value < 1 ? 3 : 1);
}

/** `alignscope pairs`: preference pairs, made, put together from shards and described. */
export function pairsCommand(program: Command): void {
  const pairs = program
    .command("pairs")
    .description("preference pairs for DPO: make them, put shards together, describe a set");
  pairsMakeCommand(pairs);
  pairsPartCommand(pairs);
  pairs
    .command("merge <file>")
    .description(
      "put the shards beside FILE (NAME.shard-i-of-n.jsonl) together in FILE, in the order of the prompts",
    )
    .option(
      "--of <n>",
      "how many shards there are, where shards of several divisions lie there",
      positiveInteger,
    )
    .action(async (file: string, options: { of?: number }) => {
      const { mergePairs } = await import("../merge-pairs.js");
      const { path, rows, shards } = mergePairs(file, options);
      console.log(`${path}: ${rows} rows of ${shards} shards`);
    });
  pairs
    .command("describe <source>")
    .description(
      "lengths and toxicity of both sides of the pairs in a file, in a folder of split_*.jsonl or in paradetox",
    )
    .option("--model <name>", "count tokens with this model's tokenizer, where the rows do not say them")
    .option("--scorer <name>", "score both sides anew, or for the first time")
    .addOption(
      new Option("--rewrites <which>", "of ParaDetox: the first neutral rewrite of a sentence, or all")
        .choices(["first", "all"])
        .default("first"),
    )
    .option("--strict", "refuse rows that would be dropped, and files that are not finished")
    .option("--json", "for machines: counts, and means with their 95% bootstrap intervals")
    .action(describe);
}
