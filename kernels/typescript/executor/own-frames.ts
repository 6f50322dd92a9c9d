import { pathToFileURL } from "node:url";
import { THIS_PACKAGE } from "../install/kernelspec-owner.js";

const PLACES = [pathToFileURL(THIS_PACKAGE.folder).href, THIS_PACKAGE.folder].map(
  (place) => `${place}/dist/`,
);

/** Whether a line of a printed stack is a frame of this kernel's own code. */
export function inKernel(line: string): boolean {
  return /^\s+at /.test(line) && PLACES.some((place) => line.includes(place));
}
