import { hasTag, type CodeCell, type MarkdownCell, type Notebook } from "jupyter-wire";

/** papermill's tag for the two text cells that lead a reader to the failure. */
const ERROR_MARKER_TAG = "papermill-error-cell-tag";

const ANCHOR = "papermill-error-cell";
const STYLE = "color:red; font-family:Helvetica Neue, Helvetica, Arial, sans-serif; font-size:2em;";

/** Takes out the markers of an earlier run. */
export function removeErrorMarkers(notebook: Notebook): void {
  notebook.cells = notebook.cells.filter((cell) => !hasTag(cell, ERROR_MARKER_TAG));
}

/** Puts a red line with a link at the top and its target right before the failing cell. */
export function addErrorMarkers(notebook: Notebook, failing: CodeCell): void {
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
