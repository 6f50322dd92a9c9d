import { UserError } from "@alignscope/base/errors";
import { type CodeCell, giveCellIds, hasTag, type Notebook } from "jupyter-wire";
import type { ExecuteOptions, Parameters } from "./options.js";
import { jsonParameters, notebookRecord } from "./papermill-metadata.js";
import { formatPath, withBuiltins } from "./path-template.js";
import { notebookStore } from "./stores/index.js";
import { findTranslator } from "./translators/languages.js";
import { type Translator, withFloats } from "./translators/translator.js";
import { checkParameters, ParameterError } from "./typed/check-parameters.js";
import { MASK, Secrets } from "./typed/secrets.js";
import type { DeclaredParameter } from "./typed/types.js";

/** The cell that declares the parameters and their defaults. */
const PARAMETERS_TAG = "parameters";
/** The cell that the runner writes. */
const INJECTED_TAG = "injected-parameters";
/** Metadata of the injected cell: the names whose values it shows masked, so that it is not the cell that ran. */
const MASKED_FIELD = "papermill-ts-masked";

/**
 * Writes the parameters into the notebook, by papermill's rules: in place of a cell injected earlier, else right after
 * the first cell tagged `parameters` (which stays as it is), else at the top. Only the names given are written, and
 * secrets only masked. Returns warnings.
 *
 * @throws UserError for a name that the language does not take, ParameterError for what `strictParameters` refuses
 */
export async function injectParameters(
  notebook: Notebook,
  given: Parameters,
  translator: Translator,
  options: Pick<ExecuteOptions, "strictParameters" | "parameterTexts"> = {},
  secrets = new Secrets(given),
): Promise<string[]> {
  for (const name of Object.keys(given)) {
    if (!translator.isName(name)) throw new UserError(`"${name}" cannot be the name of a parameter`);
  }
  const parametersAt = notebook.cells.findIndex((cell) => hasTag(cell, PARAMETERS_TAG));
  const injectedAt = notebook.cells.findIndex((cell) => hasTag(cell, INJECTED_TAG));
  const declared = await declaredParameters(notebook, translator);
  const strict = options.strictParameters ?? false;
  if (strict && !translator.inspect) {
    throw new UserError(
      "parameters of this notebook's language cannot be checked: run without strict parameters",
    );
  }
  const { parameters, problems } = checkParameters(given, declared, {
    strict,
    checksTypes: translator.checksTypes ?? false,
    texts: options.parameterTexts?.typed ?? {},
    raw: new Set(options.parameterTexts?.raw),
    isSecret: (name) => secrets.has(name),
  });
  if (strict && problems.length > 0) throw new ParameterError(problems);
  const warnings = problems;
  const floats = new Set(translator.tellsFloats ? options.parameterTexts?.floats : []);
  const cell = injectedCell(parameters, translator, declared, secrets, floats);
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
  notebookRecord(notebook).parameters = jsonParameters(masked(parameters, secrets));
  return warnings;
}

/** What the notebook's own parameters cell declares, by name; empty without such a cell. */
async function declaredParameters(
  notebook: Notebook,
  translator: Translator,
): Promise<Map<string, DeclaredParameter>> {
  const cell = notebook.cells.find((each) => hasTag(each, PARAMETERS_TAG));
  const declared = cell && translator.inspect ? await translator.inspect(cell.source) : [];
  return new Map(declared.map((each) => [each.name, each]));
}

/** The cell as it is written; where it holds secrets, the one that the kernel is sent is kept by `secrets`. */
function injectedCell(
  parameters: Parameters,
  translator: Translator,
  declared: ReadonlyMap<string, DeclaredParameter>,
  secrets: Secrets,
  floats: ReadonlySet<string>,
): CodeCell {
  const source = (values: Parameters): string => {
    const lines = Object.entries(values).map(([name, value]) =>
      translator.assign(name, withFloats(value, name, floats), declared.get(name)),
    );
    return [translator.comment("Parameters"), ...lines, ""].join("\n");
  };
  const names = secrets.names.filter((name) => Object.hasOwn(parameters, name));
  const cell: CodeCell = {
    cell_type: "code",
    id: INJECTED_TAG,
    metadata: {
      tags: [INJECTED_TAG],
      papermill: {},
      ...(names.length > 0 ? { [MASKED_FIELD]: [...names] } : {}),
    },
    source: source(masked(parameters, secrets)),
    execution_count: null,
    outputs: [],
  };
  if (names.length > 0) secrets.keepSource(cell, source(parameters));
  return cell;
}

function masked(parameters: Parameters, secrets: Secrets): Parameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, secrets.has(name) ? MASK : value]),
  );
}

/** Names that an earlier run masked in its injected cell, which is still there: it would run with the masks. */
export function leftMasked(notebook: Notebook): string[] {
  const cell = notebook.cells.find((each) => hasTag(each, INJECTED_TAG));
  const names = cell?.metadata[MASKED_FIELD];
  return Array.isArray(names) ? names.map(String) : [];
}

/**
 * The parameters that a notebook declares in its cell tagged `parameters`, by name; undefined when it has no such cell,
 * empty when nobody here can read declarations of its language.
 *
 * @param parameters fill the names in the path: `{name}`
 * @throws UserError when there is no translator for the notebook's language
 */
export async function inspectNotebook(
  input: string | Notebook,
  language?: string,
  parameters: Parameters = {},
): Promise<Map<string, DeclaredParameter> | undefined> {
  const path = typeof input === "string" ? formatPath(input, withBuiltins(parameters)) : undefined;
  const notebook = path === undefined ? (input as Notebook) : await notebookStore(path).read(path);
  if (!notebook.cells.some((cell) => hasTag(cell, PARAMETERS_TAG))) return undefined;
  const { language_info: info, kernelspec } = notebook.metadata;
  const name = language ?? info?.name ?? kernelspec?.language ?? "";
  const translator = findTranslator(language ? "" : (kernelspec?.name ?? ""), name);
  if (!translator) throw new UserError(`cannot read parameters of the language "${name}"`);
  return declaredParameters(notebook, translator);
}
