import { UserError } from "@alignscope/base/errors";
import { hasTag, type Notebook } from "jupyter-wire";
import { notebookStore } from "./notebook-io.js";
import type { Parameters } from "./options.js";
import { declaredParameters, PARAMETERS_TAG } from "./parameters.js";
import { formatPath, withBuiltins } from "./path-template.js";
import { findTranslator, type DeclaredParameter } from "./translators/index.js";

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
