import { UserError } from "../data/errors";
import { giveCellIds, hasTag, type CodeCell, type Notebook } from "../jupyter";
import type { Parameters } from "./options";
import { jsonParameters, notebookRecord } from "./papermill-metadata";
import type { DeclaredParameter, Translator } from "./translators";

/** The cell that declares the parameters and their defaults. */
export const PARAMETERS_TAG = "parameters";
/** The cell that the runner writes. */
export const INJECTED_TAG = "injected-parameters";

/**
 * Writes the parameters into the notebook, by papermill's rules: in place of a cell injected earlier, else right after
 * the first cell tagged `parameters` (which stays as it is), else at the top. Only the names given are written. Returns
 * warnings.
 *
 * @throws UserError for a name that the language does not take
 */
export async function injectParameters(
  notebook: Notebook,
  parameters: Parameters,
  translator: Translator,
): Promise<string[]> {
  for (const name of Object.keys(parameters)) {
    if (!translator.isName(name)) throw new UserError(`"${name}" cannot be the name of a parameter`);
  }
  const warnings: string[] = [];
  const parametersAt = notebook.cells.findIndex((cell) => hasTag(cell, PARAMETERS_TAG));
  const injectedAt = notebook.cells.findIndex((cell) => hasTag(cell, INJECTED_TAG));
  const declared = await declaredParameters(notebook, translator);
  for (const name of Object.keys(parameters)) {
    if (!declared.has(name)) warnings.push(`Passed unknown parameter: ${name}`);
  }
  const cell = injectedCell(parameters, translator, declared);
  if (injectedAt >= 0) {
    cell.id = notebook.cells[injectedAt]?.id ?? cell.id;
    notebook.cells[injectedAt] = cell;
  } else if (parametersAt >= 0) {
    notebook.cells.splice(parametersAt + 1, 0, cell);
  } else {
    warnings.push(
      `the notebook has no cell tagged "${PARAMETERS_TAG}": the parameters are put in its first cell`,
    );
    notebook.cells.unshift(cell);
  }
  giveCellIds(notebook);
  notebookRecord(notebook).parameters = jsonParameters(parameters);
  return warnings;
}

/** What the notebook's own parameters cell declares, by name; empty without such a cell. */
export async function declaredParameters(
  notebook: Notebook,
  translator: Translator,
): Promise<Map<string, DeclaredParameter>> {
  const cell = notebook.cells.find((each) => hasTag(each, PARAMETERS_TAG));
  const declared = cell && translator.inspect ? await translator.inspect(cell.source) : [];
  return new Map(declared.map((each) => [each.name, each]));
}

function injectedCell(
  parameters: Parameters,
  translator: Translator,
  declared: ReadonlyMap<string, DeclaredParameter>,
): CodeCell {
  const lines = Object.entries(parameters).map(([name, value]) =>
    translator.assign(name, value, declared.get(name)),
  );
  return {
    cell_type: "code",
    id: INJECTED_TAG,
    metadata: { tags: [INJECTED_TAG], papermill: {} },
    source: [translator.comment("Parameters"), ...lines, ""].join("\n"),
    execution_count: null,
    outputs: [],
  };
}
