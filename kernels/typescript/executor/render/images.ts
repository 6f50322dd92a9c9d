import type { Shown } from "../../wire/index.js";
import { base64 } from "./bundle.js";
import type { ImageHeader } from "./image-header.js";
import { imageHeader } from "./image-header.js";
import type { Renderer } from "./renderer.js";
import { size as byteSize } from "@alignscope/base/size";

/** Beyond this a picture is bytes like others. */
const largestImage = 32_000_000;

/** Bytes that begin as a picture does. */
export const images: Renderer = {
  what: "a picture",
  render(value) {
    if (!(value instanceof Uint8Array) || value.length > largestImage) return undefined;
    const header = imageHeader(value);
    return header && shownImage(value, header);
  },
};

function shownImage(bytes: Uint8Array, header: ImageHeader): Shown {
  return { data: { [header.type]: base64(bytes), "text/plain": imageText(bytes, header) }, metadata: {} };
}

/** "PNG image, 640 × 480, 12.3 kB" */
export function imageText(bytes: Uint8Array, { type, width, height }: ImageHeader): string {
  const size = width === undefined || height === undefined ? "" : ` ${width} × ${height},`;
  const kind = type === "image/webp" ? "WebP" : type.slice("image/".length).toUpperCase();
  return `[${kind} image,${size} ${byteSize(bytes.length)}]`;
}
