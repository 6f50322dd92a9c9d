// eslint-disable-next-line no-restricted-imports -- a pipe, which has its own ways
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import {
  FrameReader,
  MESSAGE,
  messageFrame,
  STDERR,
  STDOUT,
  textFrame,
  TO_EXECUTOR_FD,
  TO_FRONT_FD,
  type ToExecutor,
  type ToFront,
} from "../wire/index.js";

/** Text is cut into frames of this size: the front can publish the first while the next is written. */
const TEXT_BYTES = 65_536;
/** Milliseconds to wait when the pipe takes nothing more just now. */
const FULL_MS = 1;

const sleeping = new Int32Array(new SharedArrayBuffer(4));

/** Sends a message to the front. Returns when the pipe has it, so that a cell cannot run ahead of who reads its output. */
export function tellFront(message: ToFront): void {
  writeWhole(messageFrame(message));
}

/** Sends what an execution wrote to one of its streams. */
export function textToFront(kind: typeof STDOUT | typeof STDERR, execution: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += TEXT_BYTES) {
    writeWhole(textFrame(kind, execution, bytes.subarray(at, at + TEXT_BYTES)));
  }
}

let writing = false;

/** Whether a frame has been written in part: what ends this thread's code now would leave nonsense in the pipe. */
export const isWriting = (): boolean => writing;

function writeWhole(frame: Buffer): void {
  writing = true;
  for (let at = 0; at < frame.length;) {
    try {
      at += writeSync(TO_FRONT_FD, frame, at, frame.length - at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") Atomics.wait(sleeping, 0, 0, FULL_MS);
      else if (code === "EPIPE" || code === "EBADF") process.exit(1);
      else {
        writing = false;
        throw error;
      }
    }
  }
  writing = false;
}

/** Hears the front, until it is gone: then this process ends. */
export function hearFront(onMessage: (message: ToExecutor) => void): void {
  const reader = new FrameReader();
  const socket = new Socket({ fd: TO_EXECUTOR_FD, readable: true, writable: false });
  socket.on("data", (chunk) => {
    for (const { kind, payload } of reader.read(chunk)) {
      if (kind === MESSAGE) onMessage(JSON.parse(payload.toString("utf8")) as ToExecutor);
    }
  });
  socket.on("error", () => process.exit(1));
  socket.on("close", () => process.exit(0));
}
