import { UserError } from "@alignscope/base/errors";

/** Numbers with a shape, row by row, and whatever is to be said about them. */
export interface Floats {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
  /** JSON beside the numbers: what the axes are, units, seeds. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** What {@link encodeFloats} puts beside the caller's own `meta`. */
export type Stamp = Readonly<Record<string, string>>;

interface Header {
  __metadata__?: Record<string, string>;
  values?: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * A safetensors file with the one tensor `values` (F32 or F64), which any library for that format reads:
 * the length of the header (8 bytes), the header in JSON, the numbers in little-endian order.
 */
export function encodeFloats({ shape, data, meta = {} }: Floats, stamp: Stamp = {}): Uint8Array {
  if (elements(shape) !== data.length) {
    throw new UserError(
      `${data.length} numbers do not fill shape [${shape.join(", ")}], which has ${elements(shape)}`,
    );
  }
  const header: Header = {
    __metadata__: { ...stamp, meta: JSON.stringify(meta) },
    values: {
      dtype: data instanceof Float64Array ? "F64" : "F32",
      shape: [...shape],
      data_offsets: [0, data.byteLength],
    },
  };
  let json = Buffer.from(JSON.stringify(header));
  // The format wants the numbers to begin at a multiple of eight bytes; spaces may follow the header.
  json = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, " ")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

/** What {@link encodeFloats} wrote; `path` is for messages. */
export function decodeFloats(path: string, bytes: Buffer): { floats: Floats; stamp: Stamp } {
  const broken = (why: string) => new UserError(`unreadable artifact ${path}: ${why}; make it again`);
  if (bytes.length < 8) throw broken("it is shorter than a header");
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  if (start > bytes.length) throw broken("its header is cut off");
  let header: Header | null;
  let meta: Record<string, unknown>;
  try {
    header = JSON.parse(bytes.toString("utf8", 8, start)) as Header | null;
    meta = JSON.parse(header?.__metadata__?.["meta"] ?? "{}") as Record<string, unknown>;
  } catch {
    throw broken("its header is not JSON");
  }
  const { values, __metadata__ = {} } = header ?? {};
  if (!values || (values.dtype !== "F32" && values.dtype !== "F64"))
    throw broken("no tensor `values` of F32 or F64");
  const size = values.dtype === "F64" ? 8 : 4;
  const expected = elements(values.shape) * size;
  if (bytes.length - start !== expected) {
    throw broken(`${bytes.length - start} bytes of numbers, expected ${expected}`);
  }
  const copy = new Uint8Array(bytes.subarray(start)).buffer; // a view must begin at a multiple of its element's size
  const stamp = Object.fromEntries(Object.entries(__metadata__).filter(([key]) => key !== "meta"));
  const data = size === 8 ? new Float64Array(copy) : new Float32Array(copy);
  return { floats: { shape: values.shape, data, meta }, stamp };
}
