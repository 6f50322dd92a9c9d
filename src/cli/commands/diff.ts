import { type Command, InvalidArgumentError } from "commander";
import { UserError } from "@alignscope/base/errors";
import { diffText } from "../diff-text.js";

interface DiffFlags {
  rtol?: number;
  atol?: number;
  all?: boolean;
  json?: boolean;
}

/** `alignscope diff`: what two runs have found, side by side. */
export function diffCommand(program: Command): void {
  program
    .command("diff")
    .description(
      "compare the data of two runs' tables and figures, their parameters and environments; exit code 0 when the data are " +
        "equal within |a - b| <= ATOL + RTOL max(|a|, |b|), 1 when they differ, 2 when there is nothing to compare",
    )
    .argument("<a>", "folder of a run")
    .argument("<b>", "folder of another, also of another profile")
    .option("--rtol <x>", "relative tolerance (default: 1e-5)", tolerance)
    .option("--atol <x>", "absolute tolerance (default: 1e-8)", tolerance)
    .option("--all", "every value that moved, not the first twenty of each file")
    .option("--json", "for machines")
    .action(async (a: string, b: string, { rtol, atol, all = false, json }: DiffFlags) => {
      const { compareRuns } = await import("../../pipeline/index.js");
      try {
        const difference = compareRuns(a, b, {
          ...(rtol === undefined ? {} : { rtol }),
          ...(atol === undefined ? {} : { atol }),
        });
        console.log(json ? JSON.stringify(difference, null, 2) : diffText(difference, { all }));
        process.exitCode = difference.equal ? 0 : 1;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        console.error(`alignscope: ${error.message}`);
        process.exitCode = 2; // 1 says that they differ
      }
    });
}

function tolerance(text: string): number {
  if (text.trim() === "" || !(Number(text) >= 0) || Number(text) === Infinity) {
    throw new InvalidArgumentError("expected a number of at least 0");
  }
  return Number(text);
}
