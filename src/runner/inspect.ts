import { UserError } from "../data/errors";
import { hasTag, type Notebook } from "../jupyter";
import { notebookStore } from "./notebook-io";
import { declaredParameters, PARAMETERS_TAG } from "./parameters";
import { findTranslator, type DeclaredParameter } from "./translators";

/**
 * The parameters that a notebook declares in its cell tagged `parameters`, by name; undefined when it has no such cell.
 *
 * @throws UserError when nobody here can read the notebook's language
 */
export async function inspectNotebook(
  input: string | Notebook,
  language?: string,
): Promise<Map<string, DeclaredParameter> | undefined> {
  const notebook = typeof input === "string" ? await notebookStore(input).read(input) : input;
  if (!notebook.cells.some((cell) => hasTag(cell, PARAMETERS_TAG))) return undefined;
  const { language_info: info, kernelspec } = notebook.metadata;
  const name = language ?? info?.name ?? kernelspec?.language ?? "";
  const translator = findTranslator(language ? "" : (kernelspec?.name ?? ""), name);
  if (!translator?.inspect) throw new UserError(`cannot read parameters of the language "${name}"`);
  return declaredParameters(notebook, translator);
}
