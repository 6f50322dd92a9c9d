import { CommanderError } from "commander";
import { constants } from "node:os";
import { UserError } from "@alignscope/base/errors";
import { systemErrorInWords } from "@alignscope/base/system-errors";
import {
  DeadKernelError,
  executeNotebook,
  inspectNotebook,
  parameterHelp,
  readParameters,
  PapermillError,
  refuseSecretsInPath,
  type ExecuteOptions,
  type Parameters,
} from "../index.js";
import {
  joinPairs,
  papermillOptions,
  papermillPaths,
  papermillProgram,
  type PapermillOptions,
} from "./papermill-options.js";
import { PapermillReport } from "./papermill-report.js";

/** papermill's own code for a kernel that died. */
const EXIT_DEAD_KERNEL = 138;
const EXIT_USAGE = 2;

const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type EndingSignal = (typeof ENDING_SIGNALS)[number];

/**
 * The program `papermill-ts`: {@link papermill}, of which all that it says has been taken when this resolves. With 1 also
 * when standard output could not be written.
 */
export async function papermillProcess(args: readonly string[]): Promise<number> {
  let unwritten: Error | undefined;
  process.stdout.on("error", (error: Error) => void (unwritten ??= error));
  const code = await papermill(args);
  await Promise.all(
    [process.stdout, process.stderr].map((out) => new Promise<void>((done) => out.write("", () => done()))),
  );
  // A reader, `head` say, that has seen enough is no error.
  if (code !== 0 || !unwritten || (unwritten as NodeJS.ErrnoException).code === "EPIPE") return code;
  console.error(`papermill-ts: ${systemErrorInWords(unwritten, "standard output") ?? unwritten.message}`);
  return 1;
}

/**
 * Runs one command line of `papermill-ts`. Resolves with the exit code: 0, 1 for an error (of a cell, a kernel or the
 * input), 2 for a wrong command line, 138 for a kernel that died, 128 + n when signal n ended the run.
 *
 * @param args without Node and the script
 */
export async function papermill(args: readonly string[]): Promise<number> {
  const program = papermillProgram();
  try {
    program.parse(joinPairs(args), { from: "user" });
    const options = papermillOptions(program);
    const { input, output } = papermillPaths(program, options);
    if (options.helpNotebook) return await helpNotebook(input, options);
    return await execute(input, output, options);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    if (error instanceof PapermillError) console.error(error.message);
    else if (error instanceof UserError) console.error(error.message.replace(/^/gm, "papermill-ts: "));
    else {
      const words = systemErrorInWords(error);
      console.error(words === undefined ? error : `papermill-ts: ${words}`);
    }
    return error instanceof DeadKernelError ? EXIT_DEAD_KERNEL : 1;
  }
}

async function execute(input: string, output: string, options: PapermillOptions): Promise<number> {
  const executeOptions = readOptions(input, output, options);
  const report = new PapermillReport({
    progressBar: options.progressBar ?? (!options.logOutput && output !== "-"),
    logOutput: options.logOutput ?? false,
    logLevel: logLevel(output, options),
    cwd: options.cwd,
  });
  const stop = new AbortController();
  let endedBy: EndingSignal | undefined;
  const onSignal = (signal: EndingSignal): void => {
    // Asked twice: at once. Kernels end with this process.
    if (endedBy) process.exit(128 + constants.signals[signal]);
    endedBy = signal;
    stop.abort();
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, onSignal);
  try {
    await executeNotebook(input, output, {
      ...executeOptions,
      signal: stop.signal,
      onEvent: (event) => report.tell(event),
    });
    return 0;
  } catch (error) {
    if (!endedBy) throw error;
    report.close();
    console.error(`papermill-ts: ended by ${endedBy}; the notebook was written as far as it came`);
    return 128 + constants.signals[endedBy];
  } finally {
    report.close();
    for (const signal of ENDING_SIGNALS) process.off(signal, onSignal);
  }
}

/** papermill's rule: what would be told by default is not, where the notebook goes to standard output. */
function logLevel(output: string, { logLevel: level = "INFO" }: PapermillOptions): string {
  return output === "-" && level === "INFO" ? "ERROR" : level;
}

/** The parameters from everywhere the command line has them, and how they were given. */
function givenParameters(
  input: string,
  output: string,
  options: PapermillOptions,
): Pick<ExecuteOptions, "parameterTexts" | "maskParameters"> & { parameters: Parameters } {
  const { injectPaths, injectInputPath, injectOutputPath } = options;
  const sources = {
    base64: options.parameters_base64 ?? [],
    files: options.parameters_file ?? [],
    yaml: options.parameters_yaml ?? [],
    typed: options.parameters ?? [],
    raw: options.parameters_raw ?? [],
  };
  const { parameters, texts } = readParameters(sources);
  const maskParameters = options.maskParameters ?? [];
  for (const path of [input, output, options.cwd ?? ""]) {
    refuseSecretsInPath(path, parameters, maskParameters);
  }
  return {
    parameters: {
      ...(injectPaths || injectInputPath ? { PAPERMILL_INPUT_PATH: input } : {}),
      ...(injectPaths || injectOutputPath ? { PAPERMILL_OUTPUT_PATH: output } : {}),
      ...parameters,
    },
    parameterTexts: texts,
    maskParameters,
  };
}

function readOptions(input: string, output: string, options: PapermillOptions): ExecuteOptions {
  const { engine, kernel, language, cwd, stdoutFile, stderrFile } = options;
  const { executionTimeout, notebookTimeout, maxOutputSize } = options;
  return {
    ...givenParameters(input, output, options),
    strictParameters: options.strictParameters ?? false,
    requestSaveOnCellExecute: options.requestSaveOnCellExecute,
    autosaveCellEvery: options.autosaveCellEvery,
    startTimeout: options.startTimeout,
    shutdownTimeout: options.shutdownTimeout,
    prepareOnly: options.prepareOnly ?? false,
    reportMode: options.reportMode ?? false,
    logOutput: options.logOutput ?? false,
    ...(engine === undefined ? {} : { engineName: engine }),
    ...(kernel === undefined ? {} : { kernelName: kernel }),
    ...(language === undefined ? {} : { language }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(stdoutFile === undefined ? {} : { stdoutFile }),
    ...(stderrFile === undefined ? {} : { stderrFile }),
    ...(executionTimeout === undefined ? {} : { executionTimeout }),
    ...(notebookTimeout === undefined ? {} : { notebookTimeout }),
    ...(maxOutputSize === undefined ? {} : { maxOutputSize }),
  };
}

/** papermill's page: what it can tell of each parameter, help from column 35 on, or below when there is no room. */
async function helpNotebook(input: string, options: PapermillOptions): Promise<number> {
  const parameters = await inspectNotebook(
    input,
    options.language,
    givenParameters(input, "", options).parameters,
  );
  console.log("Usage: papermill-ts [OPTIONS] NOTEBOOK_PATH [OUTPUT_PATH]");
  console.log(`\nParameters inferred for notebook '${input}':`);
  if (!parameters) {
    console.log("\n  No cell tagged 'parameters'");
    return 1;
  }
  if (parameters.size === 0) {
    console.log(
      "\n  Can't infer anything about this notebook's parameters. It may not have any parameter defined.",
    );
  }
  for (const parameter of parameters.values()) console.log(parameterHelp(parameter).join("\n"));
  return 0;
}
