/** What the first bytes of a picture say. */
export interface ImageHeader {
  type: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
  /** in pixels, where the header is whole and tells */
  width?: number;
  height?: number;
}

/** Reads the kind of a picture and its size off its first bytes; undefined for what is no picture. */
export function imageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = (hex: string): boolean => view.subarray(0, hex.length / 2).toString("hex") === hex;
  if (starts("89504e470d0a1a0a")) {
    return view.length < 24
      ? { type: "image/png" }
      : { type: "image/png", width: view.readUInt32BE(16), height: view.readUInt32BE(20) };
  }
  if (starts("ffd8ff")) return { type: "image/jpeg", ...jpegSize(view) };
  if (/^GIF8[79]a/.test(view.toString("latin1", 0, 6))) {
    return view.length < 10
      ? { type: "image/gif" }
      : { type: "image/gif", width: view.readUInt16LE(6), height: view.readUInt16LE(8) };
  }
  if (view.toString("latin1", 0, 4) === "RIFF" && view.toString("latin1", 8, 12) === "WEBP") {
    return { type: "image/webp" };
  }
  return undefined;
}

/** A JPEG is a row of segments; the one that starts a frame has the size. */
function jpegSize(view: Buffer): { width: number; height: number } | undefined {
  let at = 2;
  while (at + 9 <= view.length && view[at] === 0xff) {
    const marker = view[at + 1]!;
    const startsFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (startsFrame) return { height: view.readUInt16BE(at + 5), width: view.readUInt16BE(at + 7) };
    at += 2 + view.readUInt16BE(at + 2);
  }
  return undefined;
}
