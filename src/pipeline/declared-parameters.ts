import { hasTag, type Notebook } from "jupyter-wire";
import { type DeclaredParameter, findTranslator } from "papermill-ts";

export type { DeclaredParameter } from "papermill-ts";

/**
 * The parameters of a notebook: the variables that its first cell tagged `parameters` declares at its top level. A
 * notebook without such a cell, or in a language whose cells the runner cannot read, has none.
 */
export async function declaredParameters(notebook: Notebook, kernel: string): Promise<DeclaredParameter[]> {
  const cell = notebook.cells.find((each) => each.cell_type === "code" && hasTag(each, "parameters"));
  const { language_info, kernelspec } = notebook.metadata;
  const translator = findTranslator(kernel, language_info?.name ?? kernelspec?.language ?? "typescript");
  return cell && translator?.inspect ? translator.inspect(cell.source) : [];
}
