import { CsvError, parse } from "csv-parse/sync";
import { readFileSync } from "node:fs";
import { messageOf, parseJson, UserError } from "@alignscope/base/errors";

/** Says what is wrong with a record, or nothing when it is as it should be; `line`, from 1, is where it ends. */
export type Validate = (record: unknown, line: number) => string | undefined;

export interface ReadOptions {
  readonly validate?: Validate;
}

/**
 * A {@link Validate} that asks for an object with these fields, for instance `{ prompt: "string", gold: "string" }`;
 * further fields are allowed.
 */
export function fields(
  expected: Readonly<Record<string, "string" | "number" | "boolean" | "object">>,
): Validate {
  return (record) => {
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      return `expected an object with ${Object.keys(expected).join(", ")}`;
    }
    for (const [name, type] of Object.entries(expected)) {
      const value = (record as Record<string, unknown>)[name];
      if (value === undefined) return `no ${name} (expected a ${type})`;
      if (typeof value !== type) return `${name} is a ${typeof value}, expected a ${type}`;
    }
    return undefined;
  };
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`);
  }
}

/** The text of a UTF-8 file, without a byte order mark; bytes that are not UTF-8 are an error, not a question mark. */
export function readText(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readBytes(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} is not UTF-8 text`);
  }
}

/**
 * The records of a JSON Lines file, one JSON value per line; empty lines are passed over.
 *
 * @throws UserError with the file and the line (from 1) that is not JSON or that `validate` objects to
 */
export function readJsonl<T>(path: string, options: ReadOptions = {}): T[] {
  const records: T[] = [];
  // Only \n ends a line here: U+2028, which some texts contain, is an ordinary character of a JSON string.
  for (const [index, line] of readText(path).split("\n").entries()) {
    if (line.trim() === "") continue;
    const record = parseJson<unknown>(line, (why) => `${path}:${index + 1}: not JSON (${why})`);
    const objection = options.validate?.(record, index + 1);
    if (objection !== undefined) throw new UserError(`${path}:${index + 1}: ${objection}`);
    records.push(record as T);
  }
  return records;
}

export interface TableOptions extends ReadOptions {
  /** Names for the columns of a file without a header; else the first record names them. */
  readonly columns?: readonly string[];
}

/** csv-parse's names for what goes wrong in a file, in other words than its option names. */
function tableError(path: string, error: CsvError, expected: readonly string[] | undefined): UserError {
  const line = Number(error["lines"] ?? 0);
  const record = error["record"];
  if (error.code === "CSV_RECORD_INCONSISTENT_COLUMNS" && Array.isArray(record)) {
    const wanted =
      expected === undefined ? "as many as the header" : `${expected.length} (${expected.join(", ")})`;
    return new UserError(`${path}:${line}: ${record.length} columns, expected ${wanted}`);
  }
  return new UserError(`${path}:${line}: ${error.message.replace(/\s*\n\s*/g, " ")}`);
}

function readTable<Column extends string>(
  path: string,
  delimiter: string,
  options: TableOptions,
): Record<Column, string>[] {
  const text = readText(path);
  let records: { record: Record<Column, string>; info: { lines: number } }[];
  try {
    records = parse(text, {
      delimiter,
      columns: options.columns === undefined ? true : [...options.columns],
      skip_empty_lines: true,
      info: true,
    }) as unknown as typeof records;
  } catch (error) {
    if (error instanceof CsvError) throw tableError(path, error, options.columns);
    throw error;
  }
  for (const { record, info } of records) {
    const objection = options.validate?.(record, info.lines);
    if (objection !== undefined) throw new UserError(`${path}:${info.lines}: ${objection}`);
  }
  return records.map(({ record }) => record);
}

/**
 * The records of a comma-separated file by column name, every value a string; quoted fields may hold commas, quotes
 * and line breaks.
 *
 * @example readCsv<"text" | "label">(await locate("jigsaw-balanced"), { columns: ["text", "label"] })
 * @throws UserError with the file and the line of a record that cannot be read, or that `validate` objects to
 */
export function readCsv<Column extends string = string>(
  path: string,
  options: TableOptions = {},
): Record<Column, string>[] {
  return readTable<Column>(path, ",", options);
}

/** {@link readCsv} with tabs between the fields. */
export function readTsv<Column extends string = string>(
  path: string,
  options: TableOptions = {},
): Record<Column, string>[] {
  return readTable<Column>(path, "\t", options);
}

/**
 * The strings of a one-dimensional NumPy array of dtype `<U…` or `>U…` (fixed-width UTF-32, padded with zeros), as
 * `numpy.save` writes it: format versions 1 to 3.
 *
 * @throws UserError when it is another format, dtype or shape, or when the data are shorter than the header says
 */
export function readNpyStrings(path: string): string[] {
  const bytes = readBytes(path);
  if (bytes.length < 12 || bytes.toString("latin1", 0, 6) !== "\x93NUMPY") {
    throw new UserError(`${path} is not a NumPy array file (.npy)`);
  }
  // Version 1 counts the header in two bytes, later ones in four.
  const start = bytes[6] === 1 ? 10 : 12;
  const end = start + (start === 10 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  const header = bytes.toString("latin1", start, end);
  const dtype = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/
    .exec(header)?.[1]
    ?.split(",")
    .filter((size) => size.trim() !== "");
  const order = dtype === undefined ? undefined : /^([<>])U(\d+)$/.exec(dtype);
  if (!order || shape?.length !== 1) {
    throw new UserError(
      `${path} holds dtype ${dtype ?? "unknown"}, shape (${shape?.join(",") ?? "unknown"}); expected a list of strings (<U…)`,
    );
  }
  const count = Number(shape[0]);
  const width = Number(order[2]);
  const expected = end + count * width * 4;
  if (bytes.length !== expected) {
    throw new UserError(
      `${path} has ${bytes.length} bytes; its header, ${count} strings of ${width}, asks for ${expected}`,
    );
  }
  return Array.from({ length: count }, (_, row) => {
    const points: number[] = [];
    for (let column = 0; column < width; column++) {
      const offset = end + (row * width + column) * 4;
      points.push(order[1] === "<" ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset));
    }
    while (points.at(-1) === 0) points.pop();
    return points.map((point) => String.fromCodePoint(point)).join("");
  });
}

/**
 * A WikiText file as the rows of Hugging Face's `wikitext` data set: one per line, with its line feed, and `""` for a
 * blank one. The paper's code joins the rows of WikiText-2's test split with `"\n\n"` for perplexity.
 */
export function readWikitextRows(path: string): string[] {
  const lines = readText(path).split("\n");
  if (lines.at(-1) === "") lines.pop(); // the last line feed ends a line, it does not begin one
  return lines.map((line) => (line.trim() === "" ? "" : `${line}\n`));
}
