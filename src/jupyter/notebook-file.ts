import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic } from "@alignscope/base/files";
import type { Cell, Json, Notebook, Output } from "./nbformat.js";

/** The newest minor of format 4 that this project writes: 4.5 brought cell ids. */
const NBFORMAT_MINOR = 5;

/**
 * Reads a notebook file and upgrades it to format 4.5.
 *
 * @throws UserError in one line when the file is missing, is not JSON or is not a format 4 notebook.
 */
export function readNotebook(path: string): Notebook {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // ENOTDIR: what should be a folder on the way is a file.
    if (code === "ENOENT" || code === "ENOTDIR") throw new UserError(`no such notebook: ${path}`);
    if (code === "EISDIR") throw new UserError(`the notebook ${path} is a folder, expected a file`);
    throw new UserError(`cannot read the notebook ${path} (${code ?? error})`);
  }
  return parseNotebook(text, path);
}

/** {@link readNotebook} for text that is already here; `name` stands in the error messages. */
export function parseNotebook(text: string, name: string): Notebook {
  let value: unknown;
  if (text.trim() === "") throw new UserError(`${name} is not a notebook: it is empty`);
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    // It quotes the text, which may hold anything.
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\p{Cc}+/gu, " ");
    throw new UserError(`${name} is not a notebook: it is not JSON (${reason})`);
  }
  return fromJson(value, name);
}

/** Writes a notebook as Jupyter itself does (sorted keys, indent of one, text as lists of lines), aside, then renamed. */
export function writeNotebook(path: string, notebook: Notebook): void {
  writeFileAtomic(path, formatNotebook(notebook));
}

/** The text of the notebook's file. */
export function formatNotebook(notebook: Notebook): string {
  return `${JSON.stringify(sortKeys(toJson(notebook)), null, 1)}\n`;
}

type JsonObject = Record<string, unknown>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fromJson(value: unknown, name: string): Notebook {
  if (!isObject(value) || value["nbformat"] === undefined) {
    throw new UserError(`${name} is not a notebook: it is JSON without the field nbformat (expected 4)`);
  }
  const major = value["nbformat"];
  if (typeof major === "number" && major > 4) {
    throw new UserError(
      `${name} has nbformat ${major}, expected 4: have the program that wrote it save it in format 4`,
    );
  }
  if (major !== 4) {
    throw new UserError(
      `${name} has nbformat ${JSON.stringify(major)}, expected 4: open it in Jupyter and save it, or run "jupyter nbconvert --to notebook" on it`,
    );
  }
  const cells = value["cells"];
  if (!Array.isArray(cells)) throw new UserError(`${name} is not a notebook: the field cells is not a list`);
  const minor = value["nbformat_minor"];
  const notebook: Notebook = {
    nbformat: 4,
    nbformat_minor: Math.max(NBFORMAT_MINOR, typeof minor === "number" ? minor : 0),
    metadata: isObject(value["metadata"]) ? (value["metadata"] as Notebook["metadata"]) : {},
    cells: cells.map((cell, index) => cellFromJson(cell, `${name}: cell ${index}`)),
  };
  giveCellIds(notebook);
  return notebook;
}

function cellFromJson(value: unknown, where: string): Cell {
  if (!isObject(value)) throw new UserError(`${where} is not an object`);
  const type = value["cell_type"];
  if (type !== "code" && type !== "markdown" && type !== "raw") {
    throw new UserError(`${where} has cell_type ${JSON.stringify(type)}, expected code, markdown or raw`);
  }
  const cell: JsonObject = {
    ...value,
    id: typeof value["id"] === "string" ? value["id"] : "",
    source: joinLines(value["source"], `${where}: source`),
    metadata: isObject(value["metadata"]) ? value["metadata"] : {},
  };
  const tags = (cell["metadata"] as JsonObject)["tags"];
  if (tags !== undefined && !Array.isArray(tags))
    throw new UserError(`${where}: metadata.tags is not a list`);
  if (type === "code") {
    const outputs = value["outputs"] ?? [];
    if (!Array.isArray(outputs)) throw new UserError(`${where}: outputs is not a list`);
    cell["outputs"] = outputs.map((output, index) => outputFromJson(output, `${where}: output ${index}`));
    cell["execution_count"] = typeof value["execution_count"] === "number" ? value["execution_count"] : null;
  }
  return cell as unknown as Cell;
}

function outputFromJson(value: unknown, where: string): Output {
  if (!isObject(value)) throw new UserError(`${where} is not an object`);
  switch (value["output_type"]) {
    case "stream":
      return { ...value, text: joinLines(value["text"], where) } as unknown as Output;
    case "display_data":
    case "execute_result":
      return {
        ...value,
        metadata: isObject(value["metadata"]) ? value["metadata"] : {},
        data: Object.fromEntries(
          Object.entries(isObject(value["data"]) ? value["data"] : {}).map(([mime, content]) => [
            mime,
            isTextMime(mime) && Array.isArray(content) ? content.join("") : content,
          ]),
        ),
      } as unknown as Output;
    case "error":
      return value as unknown as Output;
    default:
      throw new UserError(`${where} has output_type ${JSON.stringify(value["output_type"])}`);
  }
}

function joinLines(value: unknown, where: string): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((line) => typeof line === "string")) return value.join("");
  throw new UserError(`${where} is neither text nor a list of lines`);
}

/** JSON types are values, never text to be split into lines. */
function isTextMime(mime: string): boolean {
  return mime !== "application/json" && !mime.endsWith("+json");
}

/** The text of one cell as it stands in a notebook's file. */
export function formatCell(cell: Cell): string {
  // Line ends inside strings are escaped: every one that is there belongs to the layout.
  return JSON.stringify(sortKeys(cellToJson(cell)), null, 1).replace(/^/gm, "  ");
}

function toJson(notebook: Notebook): JsonObject {
  return { ...notebook, cells: notebook.cells.map(cellToJson) };
}

function cellToJson(cell: Cell): JsonObject {
  const json: JsonObject = { ...cell, source: splitLines(cell.source) };
  if (cell.cell_type === "code") json["outputs"] = cell.outputs.map(outputToJson);
  return json;
}

function outputToJson(output: Output): JsonObject {
  switch (output.output_type) {
    case "stream":
      return { ...output, text: splitLines(output.text) };
    case "display_data":
    case "execute_result":
      return {
        ...output,
        data: Object.fromEntries(
          Object.entries(output.data).map(([mime, content]): [string, Json] => [
            mime,
            // Base64 pictures have no line ends, so they stay one string.
            isTextMime(mime) && typeof content === "string" && content.includes("\n")
              ? splitLines(content)
              : content,
          ]),
        ),
      };
    case "error":
      return { ...output };
  }
}

function splitLines(text: string): string[] {
  return text === "" ? [] : text.split(/(?<=\n)/);
}

/** Jupyter writes keys in order, so a diff shows what changed and nothing else. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  const sorted: JsonObject = Object.create(null) as JsonObject;
  for (const key of Object.keys(value).sort()) sorted[key] = sortKeys(value[key]);
  return sorted;
}

const CELL_ID = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * Gives every cell a valid id of its own. The id comes from the cell's text, so that two upgrades of the same file give
 * the same notebook; a repeated text counts up.
 */
export function giveCellIds(notebook: Notebook): void {
  const taken = new Set<string>();
  for (const cell of notebook.cells) {
    if (!CELL_ID.test(cell.id) || taken.has(cell.id)) {
      for (let attempt = 0; ; attempt++) {
        cell.id = createHash("sha256").update(`${attempt}:${cell.source}`).digest("hex").slice(0, 8);
        if (!taken.has(cell.id)) break;
      }
    }
    taken.add(cell.id);
  }
}
