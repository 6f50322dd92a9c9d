import { Command, CommanderError } from "commander";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { projectRoot } from "@alignscope/base/paths";
import { systemErrorInWords } from "@alignscope/base/system-errors";
import { benchCommand } from "./commands/bench.js";
import { claimsCommand } from "./commands/claims.js";
import { dataCommand } from "./commands/data.js";
import { diffCommand } from "./commands/diff.js";
import { doctorCommand } from "./commands/doctor.js";
import { kernelCommand } from "./commands/kernel.js";
import { labCommand } from "./commands/lab.js";
import { packCommand } from "./commands/pack.js";
import { pairsCommand } from "./commands/pairs.js";
import { parityCommand } from "./commands/parity.js";
import { runNotebookCommand } from "./commands/run-notebook.js";
import { planCommand } from "./commands/plan.js";
import { reproduceCommand } from "./commands/reproduce.js";
import { scoreCommand } from "./commands/score.js";
import { scorersCommand } from "./commands/scorers.js";
import { siteCommand } from "./commands/site.js";
import { statusCommand } from "./commands/status.js";
import { verifyCommand } from "./commands/verify.js";

/** Every command; each file below ./commands adds its own to the program and loads what is heavy when it is run. */
const commands: ((program: Command) => void)[] = [
  reproduceCommand,
  planCommand,
  runNotebookCommand,
  statusCommand,
  claimsCommand,
  verifyCommand,
  diffCommand,
  siteCommand,
  doctorCommand,
  dataCommand,
  kernelCommand,
  scoreCommand,
  scorersCommand,
  pairsCommand,
  parityCommand,
  benchCommand,
  packCommand,
  labCommand,
];

/** The `alignscope` program with its commands; separate from {@link main} so that docs and tests can walk through it. */
export function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as {
    version: string;
  };
  const program = new Command("alignscope")
    .description("Re-runs Lee et al. 2024, a case study on DPO and toxicity, as parameterised notebooks.")
    .version(version)
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .showSuggestionAfterError()
    // Else what stands after a command's name may be taken for an option of the command that it belongs to.
    .enablePositionalOptions()
    .exitOverride()
    // `error: unknown command 'x'\n(Did you mean y?)` becomes one line that begins with the program's name.
    .configureOutput({
      outputError: (text, write) => {
        write(
          `${text
            .trim()
            .replace(/^error: /, "alignscope: ")
            .replace(/\s*\n\s*/g, " ")}\n`,
        );
      },
    });
  for (const register of commands) register(program);
  return program;
}

/**
 * Runs one command line; resolves with the exit code: 0, 1 when something went wrong (said in one line on standard
 * error for a {@link UserError}), 2 when the command line itself was wrong.
 *
 * @param argv as in `process.argv`: Node, the script, then the arguments
 */
export async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0); // the reader, `head` say, has seen enough
    console.error(`alignscope: ${systemErrorInWords(error, "standard output") ?? error.message}`);
    process.exit(1);
  });
  try {
    await createProgram().parseAsync([...argv]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UserError) {
      console.error(`alignscope: ${error.message}`);
      return 1;
    }
    const words = systemErrorInWords(error);
    if (words !== undefined) {
      console.error(`alignscope: ${words}`);
      return 1;
    }
    console.error("alignscope: an error of the program itself; please report it with what follows");
    console.error(error);
    return 1;
  }
}
