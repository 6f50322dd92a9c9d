import { inKernel } from "../own-frames.js";

/** A frame of Node.js' own modules or of the kernel's compiler: nothing that the author of a cell wrote or called. */
const INTERNAL = /^\s+at (?:.*\()?(?:node:|[^()]*[\\/]node_modules[\\/]@?tslab[\\/])/;

/** A printed stack without the frames that belong to the kernel. */
export function withoutKernelFrames(stack: string): string {
  return stack
    .split("\n")
    .filter((line) => !INTERNAL.test(line) && !inKernel(line))
    .join("\n");
}
