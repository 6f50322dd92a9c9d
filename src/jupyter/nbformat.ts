/**
 * Notebook format 4 as types, in the form held in memory: multi-line text is always one string (the file format also
 * allows a list of lines; `notebook-file.ts` converts both ways).
 *
 * Source: https://nbformat.readthedocs.io/en/latest/format_description.html
 */

/** Whatever JSON can carry. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined };

/** One content per MIME type. Text types hold a string; JSON types hold the value itself. */
export type MimeBundle = Record<string, Json>;

export interface StreamOutput {
  output_type: "stream";
  name: "stdout" | "stderr";
  text: string;
}

export interface DisplayOutput {
  output_type: "display_data";
  data: MimeBundle;
  metadata: Record<string, Json>;
}

export interface ExecuteResultOutput {
  output_type: "execute_result";
  execution_count: number | null;
  data: MimeBundle;
  metadata: Record<string, Json>;
}

export interface ErrorOutput {
  output_type: "error";
  ename: string;
  evalue: string;
  traceback: string[];
}

export type Output = StreamOutput | DisplayOutput | ExecuteResultOutput | ErrorOutput;

/** Cell metadata: `tags` and `papermill` have a known form, everything else is kept as found. */
export interface CellMetadata {
  tags?: string[];
  [key: string]: Json | undefined;
}

interface CellBase {
  /** Unique in the notebook, `[a-zA-Z0-9_-]{1,64}` (format 4.5). */
  id: string;
  source: string;
  metadata: CellMetadata;
}

export interface CodeCell extends CellBase {
  cell_type: "code";
  execution_count: number | null;
  outputs: Output[];
}

export interface MarkdownCell extends CellBase {
  cell_type: "markdown";
  attachments?: Record<string, MimeBundle>;
}

export interface RawCell extends CellBase {
  cell_type: "raw";
  attachments?: Record<string, MimeBundle>;
}

export type Cell = CodeCell | MarkdownCell | RawCell;

export interface KernelspecMetadata {
  name: string;
  display_name?: string;
  language?: string;
  [key: string]: Json | undefined;
}

export interface LanguageInfo {
  name: string;
  version?: string;
  mimetype?: string;
  file_extension?: string;
  [key: string]: Json | undefined;
}

export interface NotebookMetadata {
  kernelspec?: KernelspecMetadata;
  language_info?: LanguageInfo;
  [key: string]: Json | undefined;
}

export interface Notebook {
  nbformat: 4;
  nbformat_minor: number;
  metadata: NotebookMetadata;
  cells: Cell[];
}

/** Whether `cell` carries the tag, e.g. `parameters`. */
export function hasTag(cell: Cell, tag: string): boolean {
  return cell.metadata.tags?.includes(tag) ?? false;
}
