/** A regular file of an archive. */
export interface TarFile {
  path: string;
  data: Uint8Array;
  /** Permission bits. */
  mode: number;
}

const BLOCK = 512;
/** One moment for every file, so that the same files give the same bytes: 1 January 2000. */
const MOMENT = 946684800;

/**
 * A tar archive (POSIX ustar) of regular files, each name at most 100 bytes: all that the few files around a payload need,
 * and nothing that differs between two runs (owner, time, order of the caller).
 */
export function tar(files: readonly TarFile[]): Buffer {
  const parts: Buffer[] = [];
  for (const { path, data, mode } of files) {
    if (Buffer.byteLength(path) > 100) throw new Error(`tar: the name ${path} has more than 100 bytes`);
    const padding = (BLOCK - (data.length % BLOCK)) % BLOCK;
    parts.push(header(path, data.length, mode), Buffer.from(data), Buffer.alloc(padding));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}

function header(path: string, size: number, mode: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, offset);
  };
  block.write(path, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8); // owner
  octal(0, 116, 8); // group
  octal(size, 124, 12);
  octal(MOMENT, 136, 12);
  block.fill(" ", 148, 156); // the checksum counts its own field as blanks
  block.write("0", 156); // a regular file
  block.write("ustar\x0000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
