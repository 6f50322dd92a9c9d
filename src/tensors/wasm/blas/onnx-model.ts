/*
 * The smallest model that ONNX Runtime runs a matrix product for, in ONNX's binary form: protocol buffers, of which only
 * fields that count and fields with a length occur. Field numbers are those of onnx.proto.
 */

type Bytes = number[];

/** The operator set and the format of the file: both understood by every runtime since 2021. */
const OPSET = 13;
const IR_VERSION = 7;
const FLOAT = 1;
const INT_ATTRIBUTE = 2;

/** `C = op(A)·op(B)`, or `C = op(A)·op(B) + plus`: inputs `a`, `b` and, if asked for, `plus` of C's shape; output `c`. */
export function gemmModel(transposeA: boolean, transposeB: boolean, plus: boolean): Uint8Array {
  const inputs = ["a", "b", ...(plus ? ["plus"] : [])];
  const node = [
    ...inputs.flatMap((name) => text(1, name)),
    ...text(2, "c"),
    ...text(4, "Gemm"),
    ...nested(5, attribute("transA", Number(transposeA))),
    ...nested(5, attribute("transB", Number(transposeB))),
  ];
  const graph = [
    ...nested(1, node),
    ...text(2, "product"),
    ...inputs.flatMap((name) => nested(11, matrix(name))),
    ...nested(12, matrix("c")),
  ];
  const opset = [...text(1, ""), ...count(2, OPSET)];
  return Uint8Array.from([...count(1, IR_VERSION), ...nested(7, graph), ...nested(8, opset)]);
}

function attribute(name: string, value: number): Bytes {
  return [...text(1, name), ...count(3, value), ...count(20, INT_ATTRIBUTE)];
}

/** A value of rows and columns that each call sets anew. */
function matrix(name: string): Bytes {
  const dimension = (symbol: string): Bytes => nested(1, text(2, symbol));
  const shape = [...dimension(`${name}_rows`), ...dimension(`${name}_columns`)];
  return [...text(1, name), ...nested(2, nested(1, [...count(1, FLOAT), ...nested(2, shape)]))];
}

function count(field: number, value: number): Bytes {
  return [...varint(field << 3), ...varint(value)];
}

function nested(field: number, bytes: Bytes): Bytes {
  return [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes];
}

function text(field: number, value: string): Bytes {
  return nested(field, [...Buffer.from(value)]);
}

/** Seven bits a byte, the lowest first. */
function varint(value: number): Bytes {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}
