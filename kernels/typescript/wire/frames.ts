/*
 * Frames on the pipes between the kernel's two processes: payload length (32 bits, little-endian), kind (8 bits), payload.
 * Text keeps its bytes: a cell may print half of a character, or what is no text at all.
 */

/** JSON in UTF-8. */
export const MESSAGE = 1;
/** An execution's number (32 bits, little-endian), then what it wrote to the stream. */
export const STDOUT = 2;
export const STDERR = 3;

export type FrameKind = typeof MESSAGE | typeof STDOUT | typeof STDERR;

const HEADER_BYTES = 5;

export interface Frame {
  kind: FrameKind;
  payload: Buffer;
}

export function messageFrame(message: object): Buffer {
  const json = Buffer.from(JSON.stringify(message));
  return Buffer.concat([header(MESSAGE, json.length), json]);
}

/** The execution's number and the text's bytes of a frame of {@link STDOUT} or {@link STDERR}. */
export function textOf({ payload }: Frame): { execution: number; bytes: Buffer } {
  return { execution: payload.readUInt32LE(0), bytes: payload.subarray(4) };
}

export function textFrame(kind: typeof STDOUT | typeof STDERR, execution: number, bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + 4 + bytes.length);
  frame.writeUInt32LE(4 + bytes.length, 0);
  frame.writeUInt8(kind, 4);
  frame.writeUInt32LE(execution, HEADER_BYTES);
  frame.set(bytes, HEADER_BYTES + 4);
  return frame;
}

function header(kind: FrameKind, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt8(kind, 4);
  return bytes;
}

/** Takes frames out of a stream of chunks that were cut anywhere. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;

  /** The frames that this chunk completes. Their payloads may share memory with the chunk. */
  *read(chunk: Buffer): Generator<Frame> {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= HEADER_BYTES) {
      const head = this.#peek(HEADER_BYTES);
      const size = HEADER_BYTES + head.readUInt32LE(0);
      if (this.#length < size) return;
      const frame = this.#take(size);
      yield { kind: frame.readUInt8(4) as FrameKind, payload: frame.subarray(HEADER_BYTES) };
    }
  }

  #peek(count: number): Buffer {
    const first = this.#chunks[0];
    if (first && first.length >= count) return first;
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  #take(count: number): Buffer {
    let first = this.#chunks[0] as Buffer;
    if (first.length < count) {
      first = Buffer.concat(this.#chunks);
      this.#chunks = [first];
    }
    if (first.length === count) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    this.#length -= count;
    return first.subarray(0, count);
  }
}

const INTERRUPT_BYTES = 4;

/** What the lifeline carries: the number of the execution to stop, so that a late one does not stop the next. */
export function interruptBytes(execution: number): Buffer {
  const bytes = Buffer.allocUnsafe(INTERRUPT_BYTES);
  bytes.writeUInt32LE(execution);
  return bytes;
}

/** Takes the numbers of executions out of what came over the lifeline, which may be cut anywhere. */
export class InterruptReader {
  #rest: Buffer = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<number> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= INTERRUPT_BYTES) {
      yield this.#rest.readUInt32LE(0);
      this.#rest = this.#rest.subarray(INTERRUPT_BYTES);
    }
  }
}
