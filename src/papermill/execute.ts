import { resolve } from "node:path";
import { UserError } from "@alignscope/base/errors";
import {
  type CodeCell,
  findKernelspec,
  hasTag,
  type Kernelspec,
  listKernelspecs,
  type MarkdownCell,
  type Notebook,
} from "jupyter-wire";
import type { Engine, EngineEnd, EngineRun } from "./engine.js";
import { findEngine } from "./engines.js";
import type { ExecuteOptions, RunnerEvent } from "./options.js";
import { describeNotebook, finishNotebook, startNotebook } from "./papermill-metadata.js";
import { injectParameters, leftMasked } from "./parameters.js";
import { formatPath, withBuiltins } from "./path-template.js";
import { Saver, StreamFiles } from "./saver.js";
import { notebookStore } from "./stores/index.js";
import { extensionWarning, statOf } from "./stores/local.js";
import { findTranslator, translatorNames } from "./translators/languages.js";
import { Secrets } from "./typed/secrets.js";

/**
 * Runs a notebook as papermill does and returns it with its outputs; the same notebook is written to `outputPath`, while
 * it runs and at its end, whatever the end was.
 *
 * @param input a path, or a notebook in memory (which stays as it is)
 * @param output where to write (its folder must exist), or null to write nothing; in both paths `{name}` is a parameter
 * @throws PapermillExecutionError for the first failing cell, after the notebook was written with the error in it;
 *   its subclasses DeadKernelError, CellTimeoutError, RunInterruptedError say how else a cell can fail
 * @throws KernelStartError when no kernel came up, UserError for bad input, before anything ran
 * @example
 * await executeNotebook("in.ipynb", "out.ipynb", { parameters: { seed: 7 } });
 */
export async function executeNotebook(
  input: string | Notebook,
  output: string | null,
  options: ExecuteOptions = {},
): Promise<Notebook> {
  const secrets = new Secrets(
    options.parameters ?? {},
    options.maskParameters,
    options.parameterTexts?.typed,
  );
  const tell = (event: RunnerEvent): void => options.onEvent?.(secrets.event(event));
  const values = withBuiltins(options.parameters ?? {});
  const fill = (path: string): string => (options.pathTemplates === false ? path : formatPath(path, values));
  const inputPath = typeof input === "string" ? fill(input) : null;
  const outputPath = output === null ? null : fill(output);
  const notebook =
    inputPath === null ? structuredClone(input as Notebook) : await notebookStore(inputPath).read(inputPath);
  const store = outputPath === null ? undefined : notebookStore(outputPath);
  if (outputPath !== null) store?.checkWritable(outputPath);
  const unlock = outputPath === null ? undefined : store?.lock?.(outputPath);
  try {
    if (outputPath !== null) await store?.prepare?.(outputPath);
    await prepareAndRun(notebook, inputPath, outputPath, options, secrets, tell);
    return notebook;
  } finally {
    unlock?.();
  }
}

async function prepareAndRun(
  notebook: Notebook,
  inputPath: string | null,
  outputPath: string | null,
  options: ExecuteOptions,
  secrets: Secrets,
  tell: (event: RunnerEvent) => void,
): Promise<void> {
  const engine = findEngine(options.engineName);

  describeNotebook(notebook, inputPath, outputPath);
  removeErrorMarkers(notebook);
  const needsKernel = !options.prepareOnly && engine.needsKernel !== false;
  const spec = needsKernel ? findKernelspec(kernelNameOf(notebook, options)) : undefined;
  const cwd = resolve(options.cwd ?? process.cwd());
  const place = statOf(cwd);
  if (!options.prepareOnly && !place?.isDirectory()) {
    const wrong = place
      ? "is a file, expected a folder: name another"
      : "does not exist: make it first, or name another";
    throw new UserError(`the working directory ${cwd} ${wrong}`);
  }
  // Told when nothing is wrong with what was given: whoever gave something wrong should read that alone.
  const warnings = [inputPath, outputPath].flatMap((path) => extensionWarning(path) ?? []);
  await parameterise(notebook, options, spec, secrets, (message) => warnings.push(message));
  const files = new StreamFiles(options.prepareOnly ? {} : options);
  tell({ type: "notebook-opened", input: inputPath ?? "", output: outputPath ?? "" });
  for (const message of warnings) tell({ type: "warning", message });
  if (options.reportMode) hideInput(notebook);
  const saver = new Saver(notebook, outputPath, options, tell);
  if (options.prepareOnly) return saver.saveFinal();
  try {
    const told = (event: RunnerEvent): void => {
      files.tell(event);
      tell(event);
    };
    const limit = options.notebookTimeout ?? 0;
    const deadline = limit > 0 ? Date.now() + limit * 1000 : undefined;
    const engineRun = { notebook, spec, cwd, options, deadline, saver, secrets, tell: told };
    await run(engine, engineRun, saver, inputPath);
  } finally {
    files.close();
  }
}

function kernelNameOf(notebook: Notebook, options: ExecuteOptions): string {
  const name = options.kernelName ?? notebook.metadata.kernelspec?.name;
  if (typeof name !== "string" || name === "") {
    const names = listKernelspecs().map((spec) => spec.name);
    throw new UserError(
      `the notebook names no kernel in its metadata: say which with -k NAME (found ${names.join(", ") || "none"})`,
    );
  }
  return name;
}

async function parameterise(
  notebook: Notebook,
  options: ExecuteOptions,
  spec: Kernelspec | undefined,
  secrets: Secrets,
  warn: (message: string) => void,
): Promise<void> {
  const parameters = options.parameters ?? {};
  if (Object.keys(parameters).length === 0) {
    const names = leftMasked(notebook).join(", ");
    if (names !== "") {
      const message = `${names} came masked with the notebook of an earlier run: give the values again`;
      if (options.strictParameters) throw new UserError(message);
      warn(message);
    }
    return;
  }
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
  for (const message of await injectParameters(notebook, parameters, translator, options, secrets)) {
    warn(message);
  }
  if (options.prepareOnly && secrets.names.length > 0) {
    warn(`the prepared notebook shows ${secrets.names.join(", ")} masked: it cannot run as it is`);
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
  engine: Engine,
  engineRun: EngineRun,
  saver: Saver,
  inputPath: string | null,
): Promise<void> {
  const { notebook, spec, cwd, options, tell } = engineRun;
  const kernel = spec?.name ?? options.kernelName ?? "";
  startNotebook(notebook);
  notebook.metadata["papermill-ts"] = { kernel };
  const codeTotal = notebook.cells.filter((cell) => cell.cell_type === "code").length;
  const output = saver.path ?? "";
  tell({ type: "notebook-started", input: inputPath ?? "", output, kernel, cwd, codeTotal });
  await saver.saveFirst();
  let end: EngineEnd;
  try {
    end = await engine.execute(engineRun);
  } catch (error) {
    finishNotebook(notebook, true);
    await saver.saveFinal();
    throw error;
  }
  const { failure, stoppedAt, languageInfo } = end;
  if (languageInfo) notebook.metadata.language_info = languageInfo;
  if (stoppedAt && failure) addErrorMarkers(notebook, stoppedAt);
  const seconds = finishNotebook(notebook, failure !== undefined);
  await saver.saveFinal();
  tell({ type: "notebook-finished", output, seconds, failed: failure !== undefined });
  if (failure) throw failure;
}

/** papermill's tag for the two text cells that lead a reader to the failure. */
const ERROR_MARKER_TAG = "papermill-error-cell-tag";

const ANCHOR = "papermill-error-cell";
const STYLE = "color:red; font-family:Helvetica Neue, Helvetica, Arial, sans-serif; font-size:2em;";

/** Takes out the markers of an earlier run. */
function removeErrorMarkers(notebook: Notebook): void {
  notebook.cells = notebook.cells.filter((cell) => !hasTag(cell, ERROR_MARKER_TAG));
}

/** Puts a red line with a link at the top and its target right before the failing cell. */
function addErrorMarkers(notebook: Notebook, failing: CodeCell): void {
  const where = `In [${failing.execution_count ?? " "}]`;
  const index = notebook.cells.indexOf(failing);
  const target = `<span id="${ANCHOR}" style="${STYLE}">The run stopped here, at the error of the cell below:</span>`;
  const link = `<span style="${STYLE}">This notebook failed at '<a href="#${ANCHOR}">${where}</a>'.</span>`;
  notebook.cells.splice(index, 0, marker("papermill-error-anchor", target));
  notebook.cells.unshift(marker("papermill-error-link", link));
}

function marker(id: string, source: string): MarkdownCell {
  return { cell_type: "markdown", id, metadata: { tags: [ERROR_MARKER_TAG] }, source };
}
