/** `1.5 GB`, `345 kB`, `26 B`: powers of 1000, as disks and downloads are measured. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const exponent = Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** exponent;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${["B", "kB", "MB", "GB"][exponent]}`;
}

/** `1.50 GiB`: powers of 1024, as memory is measured. */
export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
