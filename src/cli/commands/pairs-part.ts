import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic } from "@alignscope/base/files";
import type { PairParameters, StudyOptions } from "../../study/index.js";
import { madeText, makeWatched, parseShard } from "../pair-making.js";
import { addProjectOptions, projectOptions } from "../project-options.js";

/** The artifact whose notebook's parameters these are. */
const PAIRS = "pairs.jsonl";

/** The parameters of the notebook that makes the pairs, which declares them with their types. */
type RunParameters = PairParameters & Required<Omit<StudyOptions, "outputs">> & { pairs: string };

/** What that notebook would run with, and into which folder. */
async function openRun(
  options: Parameters<typeof projectOptions>[0],
): Promise<{ parameters: RunParameters; outputs: string; outputsParameter: string }> {
  const { makerOf, openProject, parametersOf } = await import("../../pipeline/index.js");
  const project = await openProject(projectOptions(options));
  const notebook = makerOf(project.graph, PAIRS);
  if (!notebook)
    throw new UserError(`no notebook of this series makes ${PAIRS}: expected one that makes pairs`);
  const values = Object.entries(parametersOf(project, notebook)).map(([name, { value }]) => [name, value]);
  const parameters = Object.fromEntries(values) as RunParameters;
  const { outputs, outputsParameter } = project;
  return { parameters, outputs, outputsParameter };
}

async function makePart(
  word: string,
  { out, ...options }: Parameters<typeof projectOptions>[0] & { out?: string },
): Promise<void> {
  const { shardPath } = await import("../../alignment/pairs/index.js");
  const { openPairMaker, openStudy } = await import("../../study/index.js");
  const shard = parseShard(word);
  const { parameters, outputs, outputsParameter } = await openRun(options);
  if (parameters.pairs !== "make") {
    throw new UserError(
      `pairs: got ${parameters.pairs}, expected make: this profile reads pairs, it makes none`,
    );
  }
  const whole = out ?? join(outputs, "pairs", PAIRS);
  if (!whole.endsWith(".jsonl")) {
    throw new UserError(`--out: got ${whole}, expected a name that ends with .jsonl`);
  }
  const study = await openStudy({ ...parameters, outputs: outputsParameter });
  const pairs = await openPairMaker(study, parameters);
  const to = shardPath(whole, shard);
  // A killed part goes on there, each part in a place of its own; whoever runs the parts finds whole files only.
  const work = study.workFolder("pairs-part", [pairs.workFolder.key, resolve(to)]);
  const made = await makeWatched((watch) => pairs.make({ ...watch, path: work.path(PAIRS), shard }));
  if (!made) return;
  publishPart(made.path, to);
  work.clear();
  console.log(madeText(made, to));
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
        "make one part of the pairs that the series' notebook would make in a run, with the same parameters; merged " +
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
