import { Command, InvalidArgumentError, Option } from "commander";
import { fstatSync } from "node:fs";
import { packageFolder } from "@alignscope/base/paths";
import { ownVersion } from "../papermill-metadata.js";

/** What the command line said; option names are papermill's. */
export interface PapermillOptions {
  parameters?: [string, string][];
  parameters_raw?: [string, string][];
  parameters_file?: string[];
  parameters_yaml?: string[];
  parameters_base64?: string[];
  strictParameters?: boolean;
  /** Patterns; false after `--no-mask-parameters`. */
  maskParameters?: false | string[];
  injectInputPath?: boolean;
  injectOutputPath?: boolean;
  injectPaths?: boolean;
  engine?: string;
  requestSaveOnCellExecute: boolean;
  autosaveCellEvery: number;
  prepareOnly?: boolean;
  kernel?: string;
  language?: string;
  cwd?: string;
  progressBar?: boolean;
  logOutput?: boolean;
  stdoutFile?: string;
  stderrFile?: string;
  logLevel?: string;
  startTimeout: number;
  shutdownTimeout?: number;
  executionTimeout?: number;
  notebookTimeout?: number;
  maxOutputSize?: number;
  reportMode?: boolean;
  helpNotebook?: boolean;
}

export const LOG_LEVELS = ["NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/** The program with papermill's options; it only parses. */
export function papermillProgram(): Command {
  const start = new Option("--start-timeout <seconds>", "time the kernel has to start").default(60);
  return new Command("papermill-ts")
    .description(
      "Executes a notebook with parameters, in any Jupyter kernel, and writes it with its outputs.",
    )
    .usage("[OPTIONS] NOTEBOOK_PATH [OUTPUT_PATH]")
    .argument("[NOTEBOOK_PATH]", "the notebook to run; - is standard input")
    .argument("[OUTPUT_PATH]", "where to write it; - is standard output")
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "papermill-ts: ")),
    })
    .version(
      `${ownVersion()} from ${packageFolder(import.meta.dirname)} (node ${process.version})`,
      "--version",
    )
    .option("--help-notebook", "print the notebook's parameters and exit")
    .option("-p, --parameters <name value>", "a parameter, typed by its look (repeatable)", addPair)
    .option("-r, --parameters_raw <name value>", "a parameter that is text (repeatable)", addPair)
    .option("-f, --parameters_file <path>", "a YAML or JSON file of parameters (repeatable)", add)
    .option("-y, --parameters_yaml <text>", "parameters as a YAML mapping (repeatable)", add)
    .option("-b, --parameters_base64 <text>", "parameters as base64 of YAML (repeatable)", add)
    .option("--strict-parameters", "refuse unknown and ill-typed parameters before anything runs")
    .option("--mask-parameters <pattern>", "also mask parameters with such names in what is written", addMask)
    .option("--no-mask-parameters", "mask none, not even passwords and tokens")
    .option("--inject-input-path", "inject the input's path as PAPERMILL_INPUT_PATH")
    .option("--inject-output-path", "inject the output's path as PAPERMILL_OUTPUT_PATH")
    .option("--inject-paths", "inject both paths")
    .option(
      "--engine <name>",
      "the engine that runs the cells (default: papermill-ts's own, also called nbclient)",
    )
    .option("--request-save-on-cell-execute", "save before and after every cell", true)
    .option("--no-request-save-on-cell-execute", "save at the end only")
    .option("--autosave-cell-every <seconds>", "save while a cell runs, 0 for never", seconds, 30)
    .option("--prepare-only", "inject the parameters and write, without running")
    .option("--prepare-execute", "run (the default)")
    .option("-k, --kernel <name>", "the kernel to run with, instead of the notebook's")
    .option("-l, --language <name>", "the language of the injected parameters, instead of the notebook's")
    .option("--cwd <folder>", "the kernel's working directory")
    .option("--progress-bar", "show progress on standard error (default: unless --log-output)")
    .option("--no-progress-bar")
    .option("--log-output", "log what cells print")
    .option("--no-log-output")
    .option("--stdout-file <path>", "also write what cells print to this file")
    .option("--stderr-file <path>", "also write what cells print as errors to this file")
    .addOption(new Option("--log-level <level>", "how much to log (default: INFO)").choices(LOG_LEVELS))
    .addOption(start.argParser(seconds))
    .option("--shutdown-timeout <seconds>", "time it has to end by itself (default: 5)", seconds)
    .addOption(new Option("--start_timeout <seconds>").argParser(seconds).hideHelp())
    .option("--execution-timeout <seconds>", "time each cell may take (default: no limit)", seconds)
    .option("--notebook-timeout <seconds>", "time the whole notebook may take (default: no limit)", seconds)
    .option("--max-output-size <size>", "what one cell's outputs may have, e.g. 50MB; 0 for no limit", bytes)
    .option("--report-mode", "hide the input of every cell")
    .option("--no-report-mode")
    .helpOption("-h, --help", "show help");
}

/** The options of a parsed program. */
export function papermillOptions(program: Command): PapermillOptions {
  const {
    start_timeout: alias,
    prepareExecute,
    ...options
  } = program.opts<PapermillOptions & { start_timeout?: number; prepareExecute?: boolean }>();
  if (alias !== undefined) options.startTimeout = alias;
  if (prepareExecute) delete options.prepareOnly;
  return options;
}

/**
 * The arguments with NAME and VALUE after `-p` and `-r` made one, since an option takes one argument here. VALUE may look
 * like an option.
 */
export function joinPairs(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    if (argument === "--") return [...joined, ...args.slice(index)];
    joined.push(argument);
    if (!["-p", "--parameters", "-r", "--parameters_raw"].includes(argument)) continue;
    const pair = args.slice(index + 1, index + 3);
    if (pair.length > 0) joined.push(pair.join(PAIR_SEPARATOR));
    index += 2;
  }
  return joined;
}

/** No argument of a process can contain it. */
const PAIR_SEPARATOR = "\0";

function addPair(text: string, pairs: [string, string][] = []): [string, string][] {
  const [name = "", value] = text.split(PAIR_SEPARATOR);
  if (value === undefined) throw new InvalidArgumentError("expected a name and a value.");
  return [...pairs, [name, value]];
}

/** One more pattern; `earlier` is a boolean before the first, since the option has a `--no-` form. */
export function addMask(text: string, earlier: string[] | boolean = []): string[] {
  return [...(Array.isArray(earlier) ? earlier : []), text];
}

function add(text: string, earlier: string[] = []): string[] {
  return [...earlier, text];
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError("expected a number of seconds.");
  }
  return value;
}

/** `50MB`, `1.5 GB`, `100000`. */
function bytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kMG]?)B?$/i.exec(text.trim());
  if (!match) throw new InvalidArgumentError("expected a size such as 50MB.");
  const unit = { "": 1, K: 1e3, M: 1e6, G: 1e9 }[(match[2] ?? "").toUpperCase()] ?? 1;
  return Math.round(Number(match[1]) * unit);
}

/** Where to read and write, from one or two arguments; a pipe stands in for what is missing, as in papermill. */
export function papermillPaths(
  program: Command,
  options: PapermillOptions,
): { input: string; output: string } {
  const [first, second] = program.args;
  const piped = isPipe(0);
  if (options.helpNotebook && (first !== undefined || piped)) return { input: first ?? "-", output: "" };
  if (second !== undefined && first !== undefined) return { input: first, output: second };
  if (piped) return { input: "-", output: first ?? "-" };
  if (first !== undefined && !process.stdout.isTTY) return { input: first, output: "-" };
  return program.error(`error: missing argument ${first === undefined ? "NOTEBOOK_PATH" : "OUTPUT_PATH"}`, {
    exitCode: 2,
  });
}

function isPipe(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFIFO();
  } catch {
    return false; // Closed.
  }
}
