import { inspect } from "node:util";
import type { Json } from "jupyter-wire";
import type { Shown } from "../../wire/index.js";
import { longestText, plainText } from "./plain.js";
import { propertiesOf } from "./renderer.js";
import { clip } from "./words.js";
import { size as byteSize } from "@alignscope/base/size";

/** A part that is larger stays out: clients and notebooks choke on it. */
const largestPart = 32_000_000;

/**
 * What an object's own method returned, as it travels: bytes as base64, the rest as JSON, text/plain in any case.
 *
 * @param output a record of contents by MIME type, or `{ data, metadata }` with such a record
 * @param owner the object that was asked, for the text
 * @throws Error in one line when it is neither
 */
export function shownFrom(output: unknown, owner: unknown): Shown {
  const record = propertiesOf(output);
  if (!record || Array.isArray(output)) {
    throw new Error(
      `got ${output === null ? "null" : typeof output}, expected a record of contents by MIME type`,
    );
  }
  const inner = propertiesOf(record["data"]);
  const wrapped = inner && !Object.keys(record).some((key) => key.includes("/"));
  const contents = wrapped ? inner : record;
  const data: Record<string, Json> = {};
  const tooLarge: string[] = [];
  for (const [type, content] of Object.entries(contents)) {
    if (content === undefined || content === null) continue;
    if (!type.includes("/"))
      throw new Error(`got the key "${clip(type, 60)}", expected MIME types such as "text/html"`);
    const { json, size } = encoded(content);
    if (size > largestPart) tooLarge.push(`${type}: ${byteSize(size)}, too large to show`);
    else data[type] = json;
  }
  const text = data["text/plain"];
  const plain = typeof text === "string" ? text : standIn(data, owner, tooLarge);
  // The order of the parts is the object's; text is last because clients take the richest anyway.
  delete data["text/plain"];
  data["text/plain"] = [plain, ...tooLarge.map((line) => `(${line})`)].join("\n");
  return { data, metadata: wrapped ? metadataOf(record["metadata"]) : {} };
}

/** A content as JSON, and about how many bytes it is. */
function encoded(content: unknown): { json: Json; size: number } {
  if (typeof content === "string") return { json: content, size: content.length };
  const bytes = content instanceof ArrayBuffer ? new Uint8Array(content) : content;
  if (bytes instanceof Uint8Array) return { json: base64(bytes), size: bytes.length };
  const text = jsonText(content);
  return { json: JSON.parse(text) as Json, size: text.length };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** JSON of a value that may hold bigints, which JSON lacks. Throws on cycles, and on what JSON has no place for. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) =>
    typeof item === "bigint" ? Number(item) : item,
  ) as string | undefined;
  if (text === undefined) throw new Error(`got a ${typeof value}, expected text, bytes or JSON`);
  return text;
}

function metadataOf(metadata: unknown): Record<string, Json> {
  if (!propertiesOf(metadata)) return {};
  const json = JSON.parse(jsonText(metadata)) as Json;
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? (json as Record<string, Json>)
    : {};
}

/** Text for an object that gave none: a source that people can read, what it prints itself, or what there is to see. */
function standIn(data: Record<string, Json>, owner: unknown, tooLarge: readonly string[]): string {
  for (const type of ["text/markdown", "text/latex"]) {
    const source = data[type];
    if (typeof source === "string") return clip(source, longestText);
  }
  const properties = propertiesOf(owner);
  if (properties && typeof properties[inspect.custom] === "function") return plainText(owner);
  const maker: unknown = properties?.["constructor"];
  const name = typeof maker === "function" && maker !== Object ? `${maker.name}: ` : "";
  const types = Object.keys(data);
  if (types.length === 0 && tooLarge.length === 0) return plainText(owner);
  return `[${name}${types.join(", ") || "nothing that can be shown"}]`;
}
