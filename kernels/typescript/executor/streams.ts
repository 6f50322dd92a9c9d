import { STDERR, STDOUT } from "../wire/index.js";
import { textToFront } from "./channel.js";
import { currentExecution } from "./interrupts.js";

type Callback = (error?: Error | null) => void;

/**
 * Leads what is written to process.stdout and process.stderr to the front, at once and in order with everything else, also
 * from a loop that never pauses. (What native code writes to the file descriptors goes there by itself.)
 */
export function captureStreams(): void {
  capture(process.stdout, STDOUT);
  capture(process.stderr, STDERR);
}

function capture(stream: NodeJS.WriteStream, kind: typeof STDOUT | typeof STDERR): void {
  const write = (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | Callback,
    done?: Callback,
  ): boolean => {
    const callback = typeof encoding === "function" ? encoding : done;
    const { id, silent } = currentExecution();
    if (!silent) {
      const bytes =
        typeof chunk === "string"
          ? Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8")
          : chunk;
      textToFront(kind, id, bytes);
    }
    if (callback) process.nextTick(callback);
    return true;
  };
  stream.write = write;
}
