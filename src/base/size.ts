import prettyBytes from "pretty-bytes";

/** `1.5 GB`, `345 kB`, `26 B`: powers of 1000, as disks and downloads are measured. */
export function size(bytes: number): string {
  return prettyBytes(bytes);
}

/** `1.5 GiB`, `244 MiB`: powers of 1024, as memory is measured. */
export function memorySize(bytes: number): string {
  return prettyBytes(bytes, { binary: true });
}
