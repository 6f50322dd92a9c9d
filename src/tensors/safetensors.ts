import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { fromBrainFloat, fromHalf, toHalf } from "./half.js";

/*
 * The safetensors format: eight bytes with the header's length, a JSON header with dtype, shape and byte range of each
 * tensor, then the data (https://github.com/huggingface/safetensors).
 */

/** Where one tensor lies. */
export interface TensorEntry {
  name: string;
  dtype: string;
  shape: number[];
  file: string;
  /** First byte in the file. */
  offset: number;
  bytes: number;
}

const BYTES: Record<string, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};
const MAX_HEADER = 100 * 2 ** 20;

/**
 * Lists the tensors of a model folder: of `model.safetensors`, or of the shards that `model.safetensors.index.json`
 * names. Every range is checked against the file's size, so that a truncated file is found before anything is read.
 */
export function listTensors(folder: string): Map<string, TensorEntry> {
  const single = join(folder, "model.safetensors");
  const index = join(folder, "model.safetensors.index.json");
  const entries = new Map<string, TensorEntry>();
  if (existsSync(single)) {
    for (const entry of listFile(single)) entries.set(entry.name, entry);
    return entries;
  }
  if (!existsSync(index)) {
    throw new UserError(
      `no weights in ${folder}: expected model.safetensors or model.safetensors.index.json`,
    );
  }
  const { weight_map: weightMap } = JSON.parse(readFileSync(index, "utf8")) as {
    weight_map?: Record<string, string>;
  };
  if (!weightMap)
    throw new UserError(`${index}: no weight_map, expected tensor names with the shard each lies in`);
  for (const shard of new Set(Object.values(weightMap))) {
    const path = join(dirname(index), shard);
    if (!existsSync(path))
      throw new UserError(`${index} names ${shard}, which is missing: fetch the model again`);
    for (const entry of listFile(path)) entries.set(entry.name, entry);
  }
  const absent = Object.keys(weightMap).find((name) => !entries.has(name));
  if (absent)
    throw new UserError(`${index}: tensor ${absent} is not in ${weightMap[absent]}: fetch the model again`);
  return entries;
}

/** Lists the tensors of one file, each range checked against the file's size. */
export function listFile(path: string): TensorEntry[] {
  const file = openSync(path, "r");
  try {
    const size = fstatSync(file).size;
    const prefix = Buffer.alloc(8);
    const length = readSync(file, prefix, 0, 8, 0) === 8 ? Number(prefix.readBigUInt64LE()) : -1;
    if (length < 2 || length > Math.min(MAX_HEADER, size - 8)) {
      throw new UserError(`${path}: no safetensors file, or a truncated one (${size} bytes): fetch it again`);
    }
    const header = Buffer.alloc(length);
    readSync(file, header, 0, length, 8);
    const parsed = parseHeader(header, path);
    const data = 8 + length;
    return Object.entries(parsed)
      .filter(([name]) => name !== "__metadata__")
      .map(([name, { dtype, shape, data_offsets: range }]) => {
        const [begin, end] = range;
        const expected = shape.reduce((a, b) => a * b, 1) * (BYTES[dtype] ?? Number.NaN);
        if (!BYTES[dtype])
          throw new UserError(`${path}: tensor ${name} has dtype ${dtype}, expected F32, F16 or BF16`);
        if (end - begin !== expected) {
          throw new UserError(
            `${path}: tensor ${name} [${shape}] ${dtype} takes ${expected} bytes, the header gives ${end - begin}`,
          );
        }
        if (data + end > size) {
          throw new UserError(
            `${path}: truncated: tensor ${name} ends at byte ${data + end}, the file has ${size}: fetch it again`,
          );
        }
        return { name, dtype, shape, file: path, offset: data + begin, bytes: expected };
      });
  } finally {
    closeSync(file);
  }
}

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

function parseHeader(header: Buffer, path: string): Header {
  let parsed: unknown;
  try {
    parsed = JSON.parse(header.toString("utf8"));
  } catch {
    throw new UserError(`${path}: the safetensors header is not JSON: fetch the file again`);
  }
  for (const [name, entry] of Object.entries(parsed as Record<string, Partial<Header[string]>>)) {
    if (name === "__metadata__") continue;
    if (typeof entry.dtype !== "string" || !Array.isArray(entry.shape) || entry.data_offsets?.length !== 2) {
      throw new UserError(
        `${path}: the header's entry for ${name} lacks dtype, shape or data_offsets: fetch the file again`,
      );
    }
  }
  return parsed as Header;
}

/** Reads one tensor as float32, whatever it is stored as. */
export function readTensor(entry: TensorEntry): Float32Array {
  const values = new Float32Array(entry.shape.reduce((product, length) => product * length, 1));
  readTensorInto(entry, values);
  return values;
}

/** Entries converted at a time; float32 is read as it is, straight to its place. */
const PIECE = 2 ** 20;

/** {@link readTensor} into memory that is there already, such as a backend's. */
export function readTensorInto(entry: TensorEntry, target: Float32Array): void {
  const file = openSync(entry.file, "r");
  try {
    if (entry.dtype === "F32") {
      readFully(file, new Uint8Array(target.buffer, target.byteOffset, target.byteLength), entry, 0);
      return;
    }
    const convert = { F16: fromHalf, BF16: fromBrainFloat }[entry.dtype];
    if (!convert) {
      throw new UserError(
        `${entry.file}: tensor ${entry.name} has dtype ${entry.dtype}, expected F32, F16 or BF16`,
      );
    }
    const piece = new Uint16Array(Math.min(PIECE, target.length));
    for (let done = 0; done < target.length; done += piece.length) {
      const halves = piece.subarray(0, Math.min(piece.length, target.length - done));
      readFully(file, new Uint8Array(halves.buffer, 0, halves.byteLength), entry, 2 * done);
      for (let i = 0; i < halves.length; i++) target[done + i] = convert(halves[i]!);
    }
  } finally {
    closeSync(file);
  }
}

/** Fills `bytes` from a tensor's data, `from` bytes in. */
function readFully(file: number, bytes: Uint8Array, entry: TensorEntry, from: number): void {
  for (let done = 0; done < bytes.length;) {
    const count = readSync(
      file,
      bytes,
      done,
      Math.min(bytes.length - done, 2 ** 30),
      entry.offset + from + done,
    );
    if (count === 0)
      throw new UserError(`${entry.file}: truncated within tensor ${entry.name}: fetch it again`);
    done += count;
  }
}

/** A tensor's values in memory. */
export interface TensorValues {
  shape: number[];
  data: Float32Array;
}

/** The bytes of a safetensors file of these tensors, in order, as float32 or rounded to float16. */
export function encodeSafetensors(
  tensors: Iterable<[name: string, tensor: TensorValues]>,
  dtype: "F32" | "F16" = "F32",
): Uint8Array {
  return Buffer.concat(safetensorsChunks(tensors, dtype));
}

/** The same bytes in pieces, float32 without a copy: for a file that is written piece by piece. */
export function safetensorsChunks(
  tensors: Iterable<[name: string, tensor: TensorValues]>,
  dtype: "F32" | "F16" = "F32",
): Uint8Array[] {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    const encoded = dtype === "F32" ? data : Uint16Array.from(data, toHalf);
    const bytes = new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    chunks.push(bytes);
    offset += bytes.length;
  }
  const json = JSON.stringify(header);
  // Padded with spaces so that the data starts at a multiple of eight.
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  return [prefix, text, ...chunks];
}
