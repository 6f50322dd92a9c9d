import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../data/errors";
import { findKernelspec, type Kernelspec, type LanguageInfo, type Notebook } from "../jupyter";
import { CellRunner } from "./cell-runner";
import { removeErrorMarkers, addErrorMarkers } from "./error-markers";
import type { PapermillExecutionError } from "./errors";
import { KernelSession } from "./kernel-session";
import { notebookStore } from "./notebook-io";
import type { ExecuteOptions, RunnerEvent } from "./options";
import { describeNotebook, finishNotebook, startNotebook } from "./papermill-metadata";
import { injectParameters } from "./parameters";
import { Saver } from "./saver";
import { findTranslator, translatorNames } from "./translators";

const DEFAULT_START_TIMEOUT = 60;

/**
 * Runs a notebook as papermill does and returns it with its outputs; the same notebook is written to `outputPath`, while
 * it runs and at its end, whatever the end was.
 *
 * @param input a path, or a notebook in memory (which stays as it is)
 * @param outputPath where to write (its folder must exist), or null to write nothing
 * @throws PapermillExecutionError for the first failing cell, after the notebook was written with the error in it;
 *   its subclasses DeadKernelError, CellTimeoutError, RunInterruptedError say how else a cell can fail
 * @throws KernelStartError when no kernel came up, UserError for bad input, before anything ran
 * @example
 * await executeNotebook("notebooks/3.1.ipynb", "outputs/3.1.ipynb", { parameters: { seed: 7 }, cwd: projectRoot() });
 */
export async function executeNotebook(
  input: string | Notebook,
  outputPath: string | null,
  options: ExecuteOptions = {},
): Promise<Notebook> {
  const tell = options.onEvent ?? ((): void => undefined);
  const inputPath = typeof input === "string" ? input : null;
  const notebook =
    typeof input === "string" ? await notebookStore(input).read(input) : structuredClone(input);
  if (outputPath !== null) notebookStore(outputPath).checkWritable(outputPath);

  describeNotebook(notebook, inputPath, outputPath);
  removeErrorMarkers(notebook);
  const spec = options.prepareOnly ? undefined : findKernelspec(kernelNameOf(notebook, options));
  const cwd = resolve(options.cwd ?? process.cwd());
  if (spec && !statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UserError(`the working directory ${cwd} does not exist: make it first, or name another`);
  }
  await parameterise(notebook, options, spec, tell);
  if (options.reportMode) hideInput(notebook);
  const saver = new Saver(notebook, outputPath, options, tell);
  if (spec) await run(notebook, spec, inputPath, cwd, saver, options, tell);
  else await saver.saveFinal();
  return notebook;
}

function kernelNameOf(notebook: Notebook, options: ExecuteOptions): string {
  const name = options.kernelName ?? notebook.metadata.kernelspec?.name;
  if (typeof name !== "string" || name === "") {
    throw new UserError("the notebook names no kernel in its metadata: say which with -k NAME (kernelName)");
  }
  return name;
}

async function parameterise(
  notebook: Notebook,
  options: ExecuteOptions,
  spec: Kernelspec | undefined,
  tell: (event: RunnerEvent) => void,
): Promise<void> {
  const parameters = options.parameters ?? {};
  if (Object.keys(parameters).length === 0) return;
  const { language_info: info, kernelspec } = notebook.metadata;
  const kernel = options.kernelName ?? kernelspec?.name ?? "";
  // With another kernel than the notebook's own, the kernel knows its language, not the notebook.
  const own = options.kernelName === undefined ? (info?.name ?? kernelspec?.language) : undefined;
  const language = options.language ?? own ?? spec?.language ?? info?.name ?? kernelspec?.language ?? "";
  const translator = findTranslator(options.language ? "" : kernel, language);
  if (!translator) {
    throw new UserError(
      `no parameter translator for kernel "${kernel}" or language "${language}" (there are ${translatorNames().join(", ")}): say which language with -l NAME`,
    );
  }
  for (const message of await injectParameters(notebook, parameters, translator)) {
    tell({ type: "warning", message });
  }
}

function hideInput(notebook: Notebook): void {
  for (const cell of notebook.cells) {
    if (cell.cell_type !== "code") continue;
    const jupyter = cell.metadata["jupyter"];
    const kept = typeof jupyter === "object" && !Array.isArray(jupyter) ? jupyter : {};
    cell.metadata["jupyter"] = { ...kept, source_hidden: true };
  }
}

async function run(
  notebook: Notebook,
  spec: Kernelspec,
  inputPath: string | null,
  cwd: string,
  saver: Saver,
  options: ExecuteOptions,
  tell: (event: RunnerEvent) => void,
): Promise<void> {
  const codeTotal = notebook.cells.filter((cell) => cell.cell_type === "code").length;
  startNotebook(notebook);
  notebook.metadata["papermill-ts"] = { kernel: spec.name };
  tell({
    type: "notebook-started",
    input: inputPath ?? "",
    output: saver.path ?? "",
    kernel: spec.name,
    cwd,
    codeTotal,
  });
  await saver.save();

  const begun = Date.now();
  const session = await startKernel(spec, cwd, options, tell).catch(async (error: unknown) => {
    finishNotebook(notebook, true);
    await saver.saveFinal();
    throw error;
  });
  const { pid = null, implementation } = session;
  const seconds = (Date.now() - begun) / 1000;
  tell({ type: "kernel-ready", kernel: spec.name, seconds, pid, implementation });
  let failure: PapermillExecutionError | undefined;
  try {
    const cells = new CellRunner(notebook, session, saver, options, tell);
    failure = await cells.runAll();
    if (cells.stoppedAt && failure) addErrorMarkers(notebook, cells.stoppedAt);
    const language = session.info["language_info"];
    if (typeof language === "object" && language !== null && !Array.isArray(language)) {
      notebook.metadata.language_info = language as LanguageInfo;
    }
  } finally {
    await session.shutdown();
  }
  const took = finishNotebook(notebook, failure !== undefined);
  await saver.saveFinal();
  tell({ type: "notebook-finished", output: saver.path ?? "", seconds: took, failed: failure !== undefined });
  if (failure) throw failure;
}

function startKernel(
  spec: Kernelspec,
  cwd: string,
  options: ExecuteOptions,
  tell: (event: RunnerEvent) => void,
): Promise<KernelSession> {
  return KernelSession.start(spec, {
    cwd,
    environment: options.environment ?? {},
    startTimeout: options.startTimeout ?? DEFAULT_START_TIMEOUT,
    signal: options.signal,
    onWarning: (message) => tell({ type: "warning", message }),
  });
}
